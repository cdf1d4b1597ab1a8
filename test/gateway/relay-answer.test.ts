import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type Finished, type Relay, type RelayOptions, relay } from '../../src/gateway/relay-answer.ts';

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanup.splice(0)) clean();
});
/** What a client gets, and what `script` returns, which plays the pod. */
const relayed = async <Result>(
  script: (answer: Relay, response: ServerResponse) => Result,
  options: Partial<RelayOptions> = {},
) => {
  const told = Promise.withResolvers<Result>();
  const server = createServer((_, response) => {
    const given = { strip: true, forClient: (status: number) => status < 500, onFirstByte: () => {}, ...options };
    try {
      told.resolve(script(relay(response, given), response));
    } catch (error) {
      told.reject(error);
      response.destroy();
    }
  });
  cleanup.push(() => server.close().closeAllConnections());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const answer = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  answer.catch(() => {});
  const result = await told.promise;
  const { status, headers } = await answer;
  return { status, headers, text: await (await answer).text(), result };
};
const played = (type: string, ...pieces: readonly string[]) =>
  relayed((answer): Finished => {
    answer.head(200, { 'content-type': type });
    for (const piece of pieces) answer.piece(Buffer.from(piece));
    return answer.finish();
  });
const [json, events] = ['application/json', 'text/event-stream; charset=utf-8'];
const usage = '"usage":{"prompt_tokens":100,"completion_tokens":7}';
const content = 'data: {"choices":[{"text":"a"}]}\n\n';
const counts = `data: {"choices":[],${usage}}\n\n`;
const done = 'data: [DONE]\n\n';

test('nothing is sent before the first piece of the body, and then the first byte is told once', async () => {
  let firstBytes = 0;
  const { status, text, result } = await relayed(
    (answer, response) => {
      const seen = [answer.started(), answer.status()];
      answer.head(201, { 'content-type': json });
      seen.push(answer.started(), response.headersSent, answer.status());
      answer.piece(Buffer.from('{'));
      answer.piece(Buffer.from('}'));
      answer.finish();
      return [...seen, answer.started(), response.headersSent];
    },
    { onFirstByte: () => void firstBytes++ },
  );
  expect([status, text, firstBytes]).toEqual([201, '{}', 1]);
  expect(result).toEqual([false, null, false, false, 201, true, true]);
});

test('an answer that is not for the client leaves it unanswered, so that another pod can', async () => {
  const { status, text, result } = await relayed((answer, response) => {
    const refused = [answer.head(503, {}), answer.declined(), answer.started(), response.headersSent];
    const other = relay(response, { strip: true, forClient: () => true, onFirstByte: () => {} });
    const taken = [other.head(200, {}), other.declined()];
    other.piece(Buffer.from('other'));
    other.finish();
    return { refused, taken };
  });
  expect([status, text]).toEqual([200, 'other']);
  expect(result).toEqual({ refused: [false, true, false, false], taken: [true, false] });
});

describe('a whole answer', () => {
  test('goes on as it is, with its length, and without headers of the connection to the pod', async () => {
    const body = `{${usage}}`;
    const { headers, text, result } = await relayed((answer) => {
      const length = { 'content-length': String(body.length) };
      answer.head(200, { ...length, 'content-type': json, 'x-own': 'kept', connection: 'x-hop', 'x-hop': 'dropped' });
      answer.piece(Buffer.from(body));
      return answer.finish();
    });
    expect([text, headers.get('content-length'), headers.get('x-own'), headers.get('x-hop')]).toEqual([
      ...[body, String(body.length), 'kept', null],
    ]);
    expect(result).toEqual({ usage: { inputTokens: 100, outputTokens: 7 }, contentEvents: 0, failed: false });
  });

  test('without a body is one all the same', async () => {
    const { status, text, result } = await relayed((answer) => {
      answer.head(204, {});
      return answer.finish();
    });
    expect([status, text, result]).toEqual([204, '', { usage: null, contentEvents: 0, failed: false }]);
  });

  test('may tell of an error, or be no JSON', async () => {
    expect((await played(json, '{"error":', '{"message":"no"}}')).result).toMatchObject({ usage: null, failed: true });
    expect((await played(json, 'plain')).result).toMatchObject({ usage: null, failed: false });
  });

  test('of more than 8 MiB is passed on unread', async () => {
    const tail = `",${usage}}`;
    const sized = async (bytes: number) => played(json, `{"a":"${'x'.repeat(bytes - 6 - tail.length)}`, tail);
    const [large, larger] = [await sized(8 << 20), await sized((8 << 20) + 1)];
    expect([large.text.length, larger.text.length]).toEqual([8 << 20, (8 << 20) + 1]);
    expect([large.result.usage?.inputTokens, larger.result.usage]).toEqual([100, null]);
  });
});

describe('a stream', () => {
  test('goes on without the counts that the client did not ask for', async () => {
    const { text, headers, result } = await played(events, content, content + counts, done);
    expect([text, headers.get('content-length')]).toEqual([content + content + done, null]);
    expect(result).toEqual({ usage: { inputTokens: 100, outputTokens: 7 }, contentEvents: 2, failed: false });
  });

  test('that was cut short has failed; one that ended with [DONE] or with its counts has not', async () => {
    expect((await played(events, content)).result.failed).toBe(true);
    expect((await played(events, content, done)).result).toMatchObject({ usage: null, failed: false });
    expect((await played(events, content, counts)).result.failed).toBe(false);
    expect((await played(events, 'data: {"error":{"message":"no"}}\n\n', done)).result.failed).toBe(true);
  });

  test('ends with what was held back of its last event', async () => {
    const { text, result } = await played(events, content, 'data: {"choices":[{"text":"b"}]}');
    expect([text, result.contentEvents]).toEqual([`${content}data: {"choices":[{"text":"b"}]}`, 2]);
  });
});

test('a client that is gone slows nobody down', async () => {
  let more: boolean | null = null;
  const seen = relayed((answer, response) => {
    answer.head(200, { 'content-type': json });
    answer.piece(Buffer.from('a'));
    response.destroy();
    more = answer.piece(Buffer.alloc(10 << 20));
  });
  await expect(seen).rejects.toThrow();
  expect(more).toBe(true);
});
