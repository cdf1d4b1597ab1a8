import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, exchangeRaw, type ScriptedPod, scriptedPod, startTestGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/redis.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let [pod, outsider]: [ScriptedPod, ScriptedPod] = [null as never, null as never];
beforeAll(async () => {
  [pod, outsider] = [await scriptedPod(), await scriptedPod()];
  gateway = await startTestGateway();
  gateway.set({ 'ns/a': [pod] });
});
afterAll(async () => {
  await Promise.all([pod.close(), outsider.close(), gateway.close()]);
});

const body = '{"model":"m","prompt":"x"}';
const post = (head: string, text = body, path = '/v1/completions'): string =>
  `POST ${path} HTTP/1.1\r\nHost: g\r\n${head}\r\n\r\n${text}`;
const statusOf = (answer: string): string => answer.slice(9, 12);

describe('nothing that a client sends chooses where its request goes', () => {
  const elsewhere = () => outsider.origin.slice('http://'.length);
  test.each([
    ['Host', () => `Host: ${elsewhere()}`],
    ['X-Forwarded-Host', () => `X-Forwarded-Host: ${elsewhere()}`],
    ['Forwarded', () => `Forwarded: host=${elsewhere()}`],
    ['X-Original-URL', () => `X-Original-URL: ${outsider.origin}/`],
    ['X-Rewrite-URL', () => `X-Rewrite-URL: ${outsider.origin}/`],
    ['Target-Pod', () => `target-pod: ${elsewhere()}`],
    ['Routing-Strategy', () => `routing-strategy: ${elsewhere()}`],
    ['Proxy', () => `Proxy: ${outsider.origin}`],
    ['X-Gpumix', () => `X-Gpumix-Upstream: ${outsider.origin}`],
  ])('%s', async (_, header) => {
    const before = pod.seen.length;
    const text = `POST /v1/completions HTTP/1.1\r\n${_ === 'Host' ? '' : 'Host: g\r\n'}${header()}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    expect(statusOf(await exchangeRaw(gateway.url, text))).toBe('200');
    expect(pod.seen.length).toBe(before + 1);
    expect(outsider.seen).toEqual([]);
  });

  test('an absolute target, a path out of the API and a model with a host in its name', async () => {
    const absolute = post(`Content-Length: ${body.length}`, body, `${outsider.origin}/v1/completions`);
    expect(statusOf(await exchangeRaw(gateway.url, absolute))).toMatch(/^(200|400|404)$/);
    for (const path of ['/v1/../admin', '//evil/v1/completions', '/v1/completions/../../metrics', '/metrics', '/v1/chat'])
      expect(statusOf(await exchangeRaw(gateway.url, post(`Content-Length: ${body.length}`, body, path)))).toBe('404');
    const named = await ask(gateway.url, { model: elsewhere() });
    expect([named.status, ((await named.json()) as { error: { code: string } }).error.code]).toEqual([404, 'model_not_found']);
    expect(statusOf(await exchangeRaw(gateway.url, `CONNECT ${elsewhere()} HTTP/1.1\r\nHost: g\r\n\r\n`))).not.toBe('200');
    expect(outsider.seen).toEqual([]);
  });
});

describe('request smuggling', () => {
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: g\r\n\r\n';
  test.each([
    [
      'Content-Length and Transfer-Encoding',
      post(`Content-Length: ${body.length}\r\nTransfer-Encoding: chunked`, chunked + smuggled),
    ],
    ['Transfer-Encoding and Content-Length', post(`Transfer-Encoding: chunked\r\nContent-Length: 4`, chunked + smuggled)],
    ['two lengths', post(`Content-Length: ${body.length}\r\nContent-Length: 1`, body + smuggled)],
    ['a list of lengths', post(`Content-Length: ${body.length}, 1`, body + smuggled)],
    ['a length with a sign', post(`Content-Length: +${body.length}`)],
    ['a length in hexadecimal', post('Content-Length: 0x1a')],
    ['a length below zero', post('Content-Length: -1')],
    ['an encoding that is not the last', post('Transfer-Encoding: chunked, identity', chunked + smuggled)],
    ['an unknown encoding', post('Transfer-Encoding: xchunked', chunked + smuggled)],
    ['two encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', chunked + smuggled)],
    ['an encoding behind a vertical tab', post('Transfer-Encoding: \x0bchunked', chunked + smuggled)],
    ['a space before the colon', post('Transfer-Encoding : chunked', chunked + smuggled)],
    ['a folded header', post(`X: a\r\n b: c\r\nContent-Length : ${body.length}`)],
    ['a bare line feed', `POST /v1/completions HTTP/1.1\nHost: g\nContent-Length: ${body.length}\n\n${body}`],
    ['a bare carriage return', post(`X: a\rTransfer-Encoding: chunked\r\nContent-Length: ${body.length}`)],
    ['a chunk whose size is none', post('Transfer-Encoding: chunked', `zz\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk size with a sign', post('Transfer-Encoding: chunked', `+1a\r\n${body}\r\n0\r\n\r\n`)],
    ['a chunk that goes on beyond its size', post('Transfer-Encoding: chunked', `2\r\n${body}\r\n0\r\n\r\n`)],
    ['a zero byte in a header', post(`X: \0\r\nContent-Length: ${body.length}`)],
    ['no host', `POST /v1/completions HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`],
    ['two hosts', `POST /v1/completions HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: ${body.length}\r\n\r\n${body}`],
  ])('%s is answered 400, once', async (_, text) => {
    const before = pod.seen.length;
    const answer = await exchangeRaw(gateway.url, text);
    expect(statusOf(answer)).toBe('400');
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1);
    expect(pod.seen.length).toBe(before);
  });

  test('what follows a request in the same packet is a request of its own', async () => {
    const before = pod.seen.length;
    const answer = await exchangeRaw(gateway.url, post(`Content-Length: ${body.length}`) + smuggled);
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404']);
    expect(pod.seen.slice(before).map(({ body: seen }) => seen)).toEqual([body]);
  });
});

test.each([
  ['a body that is too long', () => ask(gateway.url, { prompt: 'x'.repeat(1 << 20) }), 413],
  ['a body that is no JSON', () => ask(gateway.url, {}, undefined, { body: '{' }), 400],
  ['no body', () => ask(gateway.url, {}, undefined, { body: '' }), 400],
  ['no model', () => ask(gateway.url, { model: undefined }), 400],
  ['an unknown model', () => ask(gateway.url, { model: '../x' }), 404],
  ['another path', () => ask(gateway.url, {}, '/v1/images'), 404],
  ['a GET', () => fetch(`${gateway.url}/v1/completions`), 404],
])('%s is an error as OpenAI writes it', async (_, asked, status) => {
  const before = pod.seen.length;
  const answer = await asked();
  expect(answer.status).toBe(status);
  const { error } = (await answer.json()) as { error: object };
  expect(error).toMatchObject({ type: 'invalid_request_error', message: expect.any(String), code: expect.any(String) });
  expect(pod.seen.length).toBe(before);
});

test('a head that is too long is answered 431', async () => {
  const answer = await exchangeRaw(gateway.url, post(`X: ${'y'.repeat(20_000)}\r\nContent-Length: ${body.length}`));
  expect(statusOf(answer)).toBe('431');
});

test('models are listed', async () => {
  expect(await (await fetch(`${gateway.url}/v1/models`)).json()).toMatchObject({
    data: [{ id: 'm', object: 'model' }],
  });
});

test('more connections than may be are closed, and others go on', async () => {
  const { port } = new URL(gateway.url);
  const sockets = await Promise.all(
    Array.from(
      { length: 520 },
      () =>
        new Promise<Socket>((opened) => {
          const socket = connect(Number(port), '127.0.0.1', () => opened(socket));
          socket.on('error', () => {});
        }),
    ),
  );
  await until(() => sockets.filter(({ destroyed, readyState }) => destroyed || readyState !== 'open').length >= 20);
  for (const socket of sockets.slice(0, 100)) socket.destroy();
  await until(async () => (await fetch(`${gateway.url}/v1/models`).catch(() => null))?.status === 200);
  for (const socket of sockets) socket.destroy();
});

// Node would end the connection by itself after 60 s.
test('a gateway that ends does not wait for those who never asked', { timeout: 30_000 }, async () => {
  const ending = await startTestGateway();
  const silent = connect(Number(new URL(ending.url).port), '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => silent.once('connect', resolve));
  await Promise.all([ending.close(3600), new Promise((closed) => silent.once('close', closed))]);
});
