import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { ask, completion, jsonAnswer, openRequest, type ScriptedPod, scriptedPod, startTestGateway } from '../helpers/gateway.ts';
import { until } from '../helpers/redis.ts';

let gateway: Awaited<ReturnType<typeof startTestGateway>>;
let [a, b]: [ScriptedPod, ScriptedPod] = [null as never, null as never];
beforeEach(async () => {
  [a, b] = [await scriptedPod(), await scriptedPod()];
  gateway = await startTestGateway();
  gateway.set({ 'ns/a': [a], 'ns/b': [b] });
});
afterEach(async () => {
  await Promise.all([a.close(), b.close(), gateway.close()]);
});

const event = (fields: object): string => `data: ${JSON.stringify(fields)}\n\n`;
const token = event({ choices: [{ index: 0, text: 'a' }] });
const usage = event({ choices: [], usage: { prompt_tokens: 100, completion_tokens: 3 } });
const stream = (...events: readonly string[]): ScriptedPod['answer'] => {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-engine': 'yes' });
    for (const one of events) response.write(one);
    response.end();
  };
};

test('an answer goes through byte by byte, with the headers that are for the other side', async () => {
  a.answer = (response) => {
    response.setHeader('x-engine', 'vllm');
    response.setHeader('connection', 'x-hop, keep-alive');
    response.setHeader('x-hop', 'mine');
    jsonAnswer(response, completion);
  };
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url, {}, undefined, {
    headers: { authorization: 'Bearer k', 'x-request-id': '7', 'accept-encoding': 'gzip', te: 'trailers' },
  });
  expect(await answer.text()).toBe(completion);
  expect([answer.headers.get('x-engine'), answer.headers.get('x-hop')]).toEqual(['vllm', null]);
  expect(a.seen[0]).toMatchObject({
    url: '/v1/completions',
    headers: { authorization: 'Bearer k', 'x-request-id': '7' },
  });
  expect(a.seen[0]!.headers).toMatchObject({ host: a.origin.slice(7), 'accept-encoding': 'identity' });
  expect(a.seen[0]!.headers.te).toBeUndefined();
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 1, meta_pending_reqs: 0, '66:28': 1 });
});

test.each([
  { asked: false, text: `${token}${token}data: [DONE]\n\n` },
  { asked: true, text: `${token}${token}${usage}data: [DONE]\n\n` },
])('a stream is counted by the engine, which the client sees only if it asked: $asked', async ({ asked, text }) => {
  a.answer = stream(token, token, usage, 'data: [DONE]\n\n');
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url, {
    stream: true,
    ...(asked ? { stream_options: { include_usage: true } } : {}),
  });
  expect(await answer.text()).toBe(text);
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  expect(JSON.parse(a.seen[0]!.body)).toMatchObject({ stream_options: { include_usage: true } });
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 1, '66:16': 1 });
});

test('a stream without counts is counted here', async () => {
  a.answer = stream(token, token, token, token, 'data: [DONE]\n\n');
  gateway.set({ 'ns/a': [a] });
  await (await ask(gateway.url, { stream: true })).text();
  // 400 characters are about 100 tokens; four events.
  expect(gateway.fields()).toMatchObject({ '66:20': 1 });
});

test.each([
  ['tells of an error', [token, event({ error: { message: 'out of memory', code: 500 } }), 'data: [DONE]\n\n']],
  ['tells of an error by the name of its event', [token, 'event: error\ndata: {"message":"x"}\n\n']],
  ['tells of an error after its counts', [token, usage, event({ error: { message: 'x' } })]],
  ['ends without [DONE] and without counts', [token, token]],
  ['ends before it has begun', []],
])('a stream that %s goes through, and is an arrival but no size', async (_, events) => {
  a.answer = stream(...events);
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url, { stream: true });
  expect([answer.status, await answer.text()]).toEqual([200, events.filter((one) => one !== usage).join('')]);
  expect(gateway.fields()).toEqual({
    meta_v: 4,
    meta_interval_sec: 10,
    meta_precision: 10,
    meta_total_reqs: 1,
    meta_pending_reqs: 0,
    meta_queueing_reqs: 0,
  });
  expect(await gateway.metrics.registry.metrics()).toMatch(/gpumix_gateway_requests_total\{.*result="error"\} 1/);
});

test('a stream that ends with its counts but without [DONE] is a size; so is one that carries text about errors', async () => {
  const about = event({ choices: [{ index: 0, text: '{"error": "none"}' }] });
  for (const events of [
    [token, usage],
    [about, usage, 'data: [DONE]\n\n'],
  ]) {
    a.answer = stream(...events);
    gateway.set({ 'ns/a': [a] });
    await (await ask(gateway.url, { stream: true })).text();
    expect(gateway.fields()).toMatchObject({ meta_total_reqs: 1, meta_pending_reqs: 0, '66:16': 1 });
  }
});

test('an answer of 200 that is an error is no size either', async () => {
  a.answer = (response) => jsonAnswer(response, '{"object":"error","message":"x","usage":{"prompt_tokens":100}}');
  gateway.set({ 'ns/a': [a] });
  await (await ask(gateway.url)).text();
  const fields = gateway.fields();
  expect(fields).toMatchObject({ meta_total_reqs: 1, meta_pending_reqs: 0 });
  expect(Object.keys(fields).filter((name) => name.includes(':'))).toEqual([]);
});

test('each token is passed on before the next one is there', async () => {
  let next = (): void => {};
  a.answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(token);
    next = () => response.end('data: [DONE]\n\n');
  };
  gateway.set({ 'ns/a': [a] });
  const answer = await openRequest(gateway.url, {});
  const pieces: string[] = [];
  answer.on('data', (piece) => pieces.push(String(piece)));
  await until(() => pieces.length === 1);
  next();
  await until(() => pieces.length === 2);
  expect(pieces.join('')).toBe(`${token}data: [DONE]\n\n`);
});

test('requests go where the plan says', async () => {
  gateway.plan = {
    version: 1,
    model: 'm',
    created: 0,
    expires: 1e12,
    classes: [
      { fromTokens: 0, toTokens: 50, shares: { 'ns/a': 1 } },
      { fromTokens: 50, toTokens: null, shares: { 'ns/b': 1 } },
    ],
    ready: {},
    planned: {},
  } satisfies RoutingPlan;
  for (const pod of [a, b])
    pod.answer = (response, body) =>
      jsonAnswer(response, JSON.stringify({ usage: { prompt_tokens: JSON.parse(body).prompt.length / 4 } }));
  const sizes = [10, 1000, 20, 4000, 30];
  for (const size of sizes) await (await ask(gateway.url, { prompt: 'x'.repeat(size) })).text();
  expect([a.seen.length, b.seen.length]).toEqual([3, 2]);
});

test('the engine’s own refusal is the answer, and no size', async () => {
  a.answer = (response) => jsonAnswer(response, '{"error":{"message":"too long"}}', 400);
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url);
  expect([answer.status, await answer.text()]).toEqual([400, '{"error":{"message":"too long"}}']);
  expect(gateway.fields()).toEqual({
    meta_v: 4,
    meta_interval_sec: 10,
    meta_precision: 10,
    meta_total_reqs: 1,
    meta_pending_reqs: 0,
    meta_queueing_reqs: 0,
  });
});

const answers =
  (answer: ScriptedPod['answer']) =>
  async (pod: ScriptedPod): Promise<void> => {
    pod.answer = answer;
  };

test.each([
  ['is not there', (pod: ScriptedPod) => pod.close()],
  ['is busy', answers((response) => jsonAnswer(response, '{}', 503))],
  ['breaks off', answers((response) => void response.socket?.destroy())],
  [
    'breaks off behind its head',
    answers((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      setTimeout(() => response.socket?.destroy(), 20);
    }),
  ],
])('a pod that %s is left alone, and another answers', async (_, spoil) => {
  await spoil(a);
  for (let time = 0; time < 4; time += 1) {
    const answer = await ask(gateway.url);
    expect([answer.status, await answer.text()]).toEqual([200, completion]);
  }
  expect(b.seen).toHaveLength(4);
  expect(a.seen.length).toBeLessThan(4);
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 4, meta_pending_reqs: 0, '66:28': 4 });
  expect(await gateway.metrics.registry.metrics()).toMatch(/gpumix_gateway_retried_total\{model="m"\} [1-4]/);
});

test.each([429, 502, 503, 504])('a pod that answers %d rests, also where its answer is the client’s', async (status) => {
  a.answer = (response) => jsonAnswer(response, '{}', status);
  const podOfA = () => gateway.modelPods.variants('m')!.get('ns/a')![0]!;
  await ask(gateway.url);
  expect(podOfA().failures).toBe(1);
  const rested = podOfA().restsUntil;
  expect(rested).toBeGreaterThan(0);
  gateway.set({ 'ns/a': [a] });
  expect((await ask(gateway.url)).status).toBe(status);
  expect(podOfA().failures).toBe(2);
  expect(podOfA().restsUntil).toBeGreaterThan(rested);
  a.answer = (response) => jsonAnswer(response, completion);
  expect((await ask(gateway.url)).status).toBe(200);
  expect(podOfA()).toMatchObject({ failures: 0, restsUntil: 0 });
});

test('where no pod answers the client is told why', async () => {
  await Promise.all([a.close(), b.close()]);
  const answer = await ask(gateway.url);
  expect(answer.status).toBe(502);
  expect(await answer.json()).toMatchObject({
    error: { type: 'server_error', message: expect.stringMatching(/^no replica of m answers: .*ECONNREFUSED/) },
  });
});

test('the last of several refusals is passed on', async () => {
  for (const pod of [a, b]) pod.answer = (response) => jsonAnswer(response, '{"error":"busy"}', 429);
  const answer = await ask(gateway.url);
  expect([answer.status, await answer.text()]).toEqual([429, '{"error":"busy"}']);
  expect(a.seen.length + b.seen.length).toBe(2);
});

test('a pod that breaks off mid-stream breaks the client’s stream off too, and is no size', async () => {
  a.answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(token);
    setTimeout(() => response.socket?.destroy(), 20);
  };
  gateway.set({ 'ns/a': [a] });
  const answer = await openRequest(gateway.url, {});
  let text = '';
  answer.on('data', (piece) => {
    text += String(piece);
  });
  await new Promise((resolve) => answer.on('close', resolve));
  expect([answer.complete, text]).toEqual([false, token]);
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 1, meta_pending_reqs: 0 });
  expect(gateway.gateway.inFlight()).toBe(0);
});

test('a client that leaves takes its request with it', async () => {
  let left = false;
  a.answer = (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(token);
    response.on('close', () => {
      left = true;
    });
  };
  gateway.set({ 'ns/a': [a] });
  const answer = await openRequest(gateway.url, {});
  answer.on('error', () => {});
  await new Promise((resolve) => answer.once('data', resolve));
  answer.destroy();
  await until(() => left && gateway.gateway.inFlight() === 0);
  expect(gateway.fields()).toMatchObject({ meta_total_reqs: 1, meta_pending_reqs: 0 });
  expect(gateway.modelPods.variants('m')?.get('ns/a')?.[0]).toMatchObject({ requests: 0, outstandingTokens: 0, failures: 0 });
});

test('a client that reads slowly slows the pod down, and holds no memory', async () => {
  let written = 0;
  a.answer = async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.setMaxListeners(0);
    const piece = event({ choices: [{ text: 'x'.repeat(60_000) }] });
    while (!response.destroyed && written < 200) {
      written += 1;
      if (!response.write(piece)) await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end();
  };
  gateway.set({ 'ns/a': [a] });
  const answer = await openRequest(gateway.url, {});
  answer.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const stopped = written;
  expect(stopped).toBeLessThan(150);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(written).toBe(stopped);
  let bytes = 0;
  for await (const piece of answer) bytes += (piece as Buffer).length;
  expect(bytes).toBeGreaterThan(200 * 60_000);
});

test('a pod that takes a request and never says a word is given up for another', async () => {
  await gateway.close();
  gateway = await startTestGateway({}, null, 1);
  const silent = createServer(() => {});
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening));
  const mute = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  gateway.set({ 'ns/a': [mute] });
  const waiting = ask(gateway.url);
  await until(() => gateway.gateway.inFlight() === 1);
  gateway.set({ 'ns/a': [mute, b] });
  expect((await waiting).status).toBe(200);
  silent.close();
});

test('a request that takes too long is cut off', async () => {
  await gateway.close();
  gateway = await startTestGateway({ requestSeconds: 0.2 });
  a.answer = () => {};
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url);
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({ error: { message: 'the request took longer than 0.2 s' } });
});
