import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ask, completion, exchangeRaw, jsonAnswer, type ScriptedPod, scriptedPod, startTestGateway } from '../helpers/gateway.ts';

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
const only = (answer: string): void => {
  a.answer = (response) => jsonAnswer(response, answer);
  gateway.set({ 'ns/a': [a] });
};
const events =
  (text: string): ScriptedPod['answer'] =>
  (response) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
/** Sizes as buckets are called: halves of powers of two. */
const counted = () => {
  const { meta_total_reqs: arrivals = 0, ...fields } = gateway.fields();
  return { arrivals, sizes: Object.keys(fields).filter((name) => !name.startsWith('meta_')) };
};
const openai = '{"usage":{"prompt_tokens":100,"completion_tokens":7}}';

test.each([
  ['/v1/completions', { prompt: 'x' }, openai, '66:28'],
  ['/v1/chat/completions', { messages: [] }, openai, '66:28'],
  ['/v1/embeddings', { input: 'x' }, '{"usage":{"prompt_tokens":100,"total_tokens":100}}', '66:0'],
  ['/v1/responses', { input: 'x' }, '{"object":"response","id":"r","usage":{"input_tokens":100,"output_tokens":7}}', '66:28'],
  ['/v1/messages', { messages: [], max_tokens: 9 }, '{"usage":{"input_tokens":100,"output_tokens":7}}', '66:28'],
  ['/v1/messages?beta=true', { messages: [], max_tokens: 9 }, '{"usage":{"input_tokens":100,"output_tokens":7}}', '66:28'],
  ['/v1/rerank', { query: 'x', documents: ['y'] }, '{"usage":{"total_tokens":100}}', '66:0'],
  ['/v2/rerank', { query: 'x', documents: ['y'] }, '{"usage":{"total_tokens":100}}', '66:0'],
  ['/v1/score', { text_1: 'x', text_2: ['y'] }, '{"usage":{"prompt_tokens":100,"total_tokens":100}}', '66:0'],
])('%s is passed on whole, and counted with its size', async (path, body, answer, size) => {
  only(answer);
  const got = await ask(gateway.url, body, path);
  expect([got.status, await got.text()]).toEqual([200, answer]);
  expect([a.seen[0]!.url, JSON.parse(a.seen[0]!.body)]).toMatchObject([path, { model: 'm', ...body }]);
  expect(counted()).toEqual({ arrivals: 1, sizes: [size] });
});

test.each(['/tokenize', '/detokenize', '/v1/messages/count_tokens', '/v1/audio/speech'])(
  '%s goes where there is least to do, and into no record',
  async (path) => {
    only('{"count":3}');
    expect(await (await ask(gateway.url, { prompt: 'x', input: 'x' }, path)).text()).toBe('{"count":3}');
    expect([a.seen[0]!.url, counted()]).toEqual([path, { arrivals: 0, sizes: [] }]);
  },
);

test.each([
  ['{"text":"hello"}', 0, []],
  ['{"text":"hello","usage":{"type":"tokens","input_tokens":100,"output_tokens":7}}', 1, ['66:28']],
] as const)(
  'a sound is sent byte by byte to the model of its form, and counted if its engine tells its size: %s',
  async (answer, count, size) => {
    only(answer);
    const form = new FormData();
    form.set('file', new Blob([Uint8Array.from({ length: 256 }, (_, byte) => byte)]), 'a.wav');
    form.set('model', 'm');
    const sent = new Response(form);
    const bytes = Buffer.from(await sent.arrayBuffer());
    const headers = { 'content-type': sent.headers.get('content-type')! };
    const got = await fetch(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers, body: bytes });
    expect([got.status, await got.text()]).toEqual([200, answer]);
    expect(a.seen[0]!.headers['content-type']).toBe(headers['content-type']);
    expect(a.seen[0]!.headers['content-length']).toBe(String(bytes.length));
    expect(counted()).toEqual({ arrivals: count, sizes: size });
  },
);

test('a compressed body is 415, a byte order mark is skipped', async () => {
  const body = '{"model":"m","prompt":"x"}';
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const zipped = await fetch(`${gateway.url}/v1/completions`, { method: 'POST', headers, body: gzipSync(body) });
  expect([zipped.status, await zipped.json()]).toMatchObject([415, { error: { code: 'unsupported_encoding' } }]);
  expect((await ask(gateway.url, {}, undefined, { body: `\uFEFF${body}` })).status).toBe(200);
  expect([a, b].flatMap(({ seen }) => seen.map((one) => one.body))).toEqual([body]);
});

test('models one by one, health, and what may be asked', async () => {
  const get = (path: string, init: RequestInit = {}) => fetch(gateway.url + path, init);
  gateway.modelPods.update(new Map([['org/m', new Map()]]));
  expect(await (await get('/v1/models/org/m')).json()).toEqual({ id: 'org/m', object: 'model', owned_by: 'gpumix' });
  expect(await (await get('/v1/models/org%2Fm')).json()).toMatchObject({ id: 'org/m' });
  expect([(await get('/v1/models/m')).status, (await get('/health')).status]).toEqual([404, 200]);
  const options = await get('/v1/chat/completions', { method: 'OPTIONS' });
  expect([options.status, options.headers.get('allow'), options.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'POST, OPTIONS',
    null,
  ]);
  expect((await get('/v1/nothing', { method: 'OPTIONS' })).status).toBe(404);
});

test('an engine that refuses to be asked for counts is asked again without, and not asked for them any more', async () => {
  a.answer = (response, body) => {
    if (body.includes('stream_options')) return jsonAnswer(response, '{"error":{"message":"unknown field stream_options"}}', 422);
    events('data: {"choices":[{"text":"a"}]}\n\ndata: [DONE]\n\n')(response, body, null as never);
  };
  gateway.set({ 'ns/a': [a] });
  for (const seen of [2, 3]) {
    const answer = await ask(gateway.url, { stream: true, prompt: 'x'.repeat(400) });
    expect([answer.status, (await answer.text()).includes('"a"'), a.seen.length]).toEqual([200, true, seen]);
  }
  expect(a.seen.map(({ body }) => body.includes('stream_options'))).toEqual([true, false, false]);
  expect(counted()).toEqual({ arrivals: 2, sizes: ['66:0'] });
});

test('what is the fault of the client stays so', async () => {
  a.answer = (response) => jsonAnswer(response, '{"error":{"message":"too long"}}', 400);
  gateway.set({ 'ns/a': [a] });
  const answer = await ask(gateway.url, { stream: true });
  expect([answer.status, await answer.text(), a.seen.length]).toEqual([400, '{"error":{"message":"too long"}}', 2]);
  a.answer = (response) => jsonAnswer(response, completion);
  await (await ask(gateway.url, { stream: true })).text();
  expect(a.seen[2]!.body).toContain('stream_options');
});

test('a response is had, cancelled, deleted and continued where it is', async () => {
  const made: Record<string, ScriptedPod> = {};
  for (const pod of [a, b])
    pod.answer = (response, _body, request) => {
      const [, , , id] = request.url!.split(/[/?]/);
      if (id === undefined) {
        made[`resp_${Object.keys(made).length}`] = pod;
        const text = `{"object":"response","id":"resp_${Object.keys(made).length - 1}","usage":{"input_tokens":9,"output_tokens":1}}`;
        return jsonAnswer(response, text);
      }
      jsonAnswer(response, made[id] === pod ? `{"id":"${id}","method":"${request.method}"}` : '{}', made[id] === pod ? 200 : 404);
    };
  for (const _ of [0, 1]) await (await ask(gateway.url, { input: 'x' }, '/v1/responses')).text();
  expect([made['resp_0'], made['resp_1']]).toEqual([a, b]);
  const path = '/v1/responses/resp_1';
  const about = async (method: string, suffix = '') =>
    (await fetch(gateway.url + path + suffix, { method })).json() as Promise<unknown>;
  const before = a.seen.length;
  expect(await about('GET', '?stream=true')).toEqual({ id: 'resp_1', method: 'GET' });
  expect(await about('POST', '/cancel')).toEqual({ id: 'resp_1', method: 'POST' });
  expect(await about('GET', '/input_items')).toEqual({ id: 'resp_1', method: 'GET' });
  expect(await about('DELETE')).toEqual({ id: 'resp_1', method: 'DELETE' });
  expect(a.seen.length).toBe(before);
  expect(b.seen.slice(-4).map(({ url }) => url)).toEqual([`${path}?stream=true`, `${path}/cancel`, `${path}/input_items`, path]);
  for (const _ of [0, 1, 2]) {
    await (await ask(gateway.url, { input: 'x', previous_response_id: 'resp_1' }, '/v1/responses')).text();
    expect(b.seen.at(-1)!.body).toContain('resp_1');
  }
  expect(a.seen.length).toBe(before);
});

test('a response that another gateway has passed on is looked for, and one that nobody has is not found', async () => {
  for (const pod of [a, b]) pod.answer = (response) => jsonAnswer(response, '{}', pod === b ? 200 : 404);
  expect((await fetch(`${gateway.url}/v1/responses/resp_x`)).status).toBe(200);
  b.answer = (response) => jsonAnswer(response, '{"error":{"message":"no such response"}}', 404);
  const answer = await fetch(`${gateway.url}/v1/responses/resp_x`);
  expect([answer.status, await answer.text()]).toEqual([404, '{"error":{"message":"no such response"}}']);
  gateway.set({ 'ns/a': [] });
  const none = await fetch(`${gateway.url}/v1/responses/resp_x`);
  expect([none.status, await none.json()]).toMatchObject([404, { error: { code: 'not_found' } }]);
});

test('HTTP/1.0 and a client that waits to be told to go on', async () => {
  only(openai);
  const body = '{"model":"m","prompt":"x"}';
  const head = `Host: g\r\nContent-Length: ${body.length}\r\n`;
  const old = await exchangeRaw(gateway.url, `POST /v1/completions HTTP/1.0\r\n${head}\r\n${body}`);
  expect(old).toMatch(/^HTTP\/1\.1 200[\s\S]*\r\n\r\n\{"usage/);
  const waiting = await exchangeRaw(gateway.url, `POST /v1/completions HTTP/1.1\r\n${head}Expect: 100-continue\r\n\r\n${body}`);
  expect(waiting).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
});
