import { gunzipSync } from 'node:zlib';
import fastify from 'fastify';
import { afterAll, describe, expect, test } from 'vitest';
import { send, sendError } from '../../src/api/answer.ts';
import { requestInfo } from '../../src/api/request-info.ts';
import { badRequest, PlainError, StatusError, unavailable } from '../../src/api/status.ts';

const logged: object[] = [];
const ignored = () => {};
const log = { info: ignored, warn: ignored, error: (fields: object) => void logged.push(fields) };
/** What the next request is answered with; an error is thrown. */
let given: object = {};
const app = fastify();
app.decorateRequest('info', null as never);
app.addHook('onRequest', async (request) => {
  request.info = requestInfo(request.method, request.raw.url ?? '/');
});
app.setErrorHandler((error, request, reply) => sendError(request, reply, error, log));
app.get('/*', (request, reply) => {
  if (given instanceof Error) throw given;
  return send(request, reply, given);
});
afterAll(() => app.close());

const answer = async (object: object, headers: Readonly<Record<string, string>> = {}, url = '/x') => {
  given = object;
  logged.length = 0;
  const { statusCode, headers: answered, rawPayload } = await app.inject({ url, headers });
  return { code: statusCode, headers: answered, bytes: rawPayload, text: rawPayload.toString() };
};

describe('an object', () => {
  test('is sent in JSON to who asks for nothing else, and its type names no charset', async () => {
    const { code, headers, text } = await answer({ a: 1 });
    expect([code, headers['content-type'], text]).toEqual([200, 'application/json', '{"a":1}\n']);
  });

  test('is sent as it is asked for', async () => {
    expect(await answer({ a: 1 }, { accept: 'application/yaml' })).toMatchObject({ code: 200, text: 'a: 1\n' });
    expect((await answer({ a: 1 }, {}, '/x?pretty=1')).text).toBe('{\n  "a": 1\n}');
    expect((await answer({ a: 1 }, { 'user-agent': 'curl/8' })).text).toBe('{\n  "a": 1\n}');
    expect((await answer({ a: 1 }, { accept: 'text/html' })).code).toBe(406);
  });

  test('of more than 128 KiB is sent small to who takes gzip', async () => {
    // With {"a":""} and the newline, 9 bytes.
    const [large, larger] = [128 * 1024 - 9, 128 * 1024 - 8].map((size) => ({ a: 'x'.repeat(size) }));
    const gzip = { 'accept-encoding': 'deflate, gzip' };
    const whole = await answer(large!, gzip);
    expect([whole.bytes.length, whole.headers['content-encoding']]).toEqual([128 * 1024, undefined]);
    const small = await answer(larger!, gzip);
    expect(small.headers).toMatchObject({
      'content-encoding': 'gzip',
      vary: 'Accept-Encoding',
      'content-type': 'application/json',
    });
    expect(JSON.parse(gunzipSync(small.bytes).toString())).toEqual(larger);
    for (const encodings of ['identity', 'gzip;q=1', 'x-gzip'])
      expect((await answer(larger!, { 'accept-encoding': encodings })).headers['content-encoding']).toBeUndefined();
  });
});

describe('a failure', () => {
  test('that we mean to tell is told as a Status in what the caller accepts, and not logged', async () => {
    const { code, text } = await answer(unavailable('no plan yet'), { accept: 'application/yaml' });
    expect(code).toBe(503);
    expect(text).toContain('kind: Status\nmessage: no plan yet\n');
    expect(logged).toEqual([]);
  });

  test('that we did not expect is logged, and says nothing of itself', async () => {
    const { code, text } = await answer(new Error('secret', { cause: new Error('deeper') }), {}, '/a%20b');
    expect(code).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ message: 'Internal error occurred', reason: 'InternalError', code: 500 });
    expect(text).not.toMatch(/secret|deeper/);
    expect(logged).toEqual([{ path: '/a b', problem: 'secret: deeper' }]);
  });

  test('of Fastify below 500 is a bad request, and not logged', async () => {
    const { code, text } = await answer(Object.assign(new Error('too long'), { statusCode: 414 }));
    expect([code, JSON.parse(text)]).toMatchObject([414, { reason: 'BadRequest', message: 'too long', code: 414 }]);
    expect(logged).toEqual([]);
    expect((await answer(Object.assign(new Error('ours'), { statusCode: 502 }))).code).toBe(500);
    expect(logged).toHaveLength(1);
  });

  test('that Kubernetes tells in plain text is plain text', async () => {
    const { code, headers, text } = await answer(new PlainError(429, 'later', { 'retry-after': '1' }));
    expect([code, text]).toEqual([429, 'later']);
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' });
  });

  test('is told in JSON to who accepts nothing that we write', async () => {
    const { code, headers, text } = await answer(badRequest('broken'), { accept: 'text/html' });
    expect([code, headers['content-type']]).toEqual([400, 'application/json']);
    expect(JSON.parse(text)).toMatchObject({ kind: 'Status', message: 'broken' });
  });

  test('for want of a right is not to be guessed at by a browser', async () => {
    expect((await answer(new StatusError(403, 'Forbidden', 'no'))).headers['x-content-type-options']).toBe('nosniff');
    expect((await answer(badRequest('no'))).headers['x-content-type-options']).toBeUndefined();
  });
});
