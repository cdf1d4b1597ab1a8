import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  compressed,
  malformedRequest,
  noAnswer,
  notFound,
  notReady,
  type Refusal,
  refusalCodes,
  refusalText,
  refuse,
  refusedBy,
  tooLong,
  tooMany,
  unknownModel,
} from '../../src/gateway/refusals.ts';

const all: readonly Refusal[] = [
  malformedRequest('why'),
  compressed('gzip'),
  notFound('why'),
  unknownModel('m'),
  tooMany('why'),
  notReady('why'),
  noAnswer('why'),
  refusedBy('m', 503),
  tooLong('why'),
];

describe('refusals', () => {
  test('every code of the list is answered by one of them, and no other code is', () => {
    expect(all.map(({ code }) => code).toSorted()).toEqual(Object.keys(refusalCodes).toSorted());
  });

  test('status and type are those of the list, where it names them', () => {
    for (const { code, status, type } of all) {
      const listed = refusalCodes[code];
      expect([listed.status ?? status, listed.type ?? type]).toEqual([status, type]);
    }
  });

  test('a refusal of the last pod has its status, and the type that goes with it', () => {
    expect(refusedBy('m', 429)).toMatchObject({ status: 429, type: 'rate_limit_error' });
    expect(refusedBy('m', 500)).toMatchObject({ status: 500, type: 'server_error' });
  });

  test('only what may be better in a moment says when to try again', () => {
    const retried = all.filter(({ retryAfter }) => retryAfter !== undefined).map(({ code }) => code);
    expect(retried).toEqual(['too_many_requests', 'not_ready', 'refused']);
  });

  test('the name of a model that nobody serves is not repeated beyond 200 characters', () => {
    expect(unknownModel('x'.repeat(5000)).message).toBe(`The model \`${'x'.repeat(200)}\` does not exist.`);
  });

  test('the text has the form of errors of OpenAI', () => {
    expect(JSON.parse(refusalText(notFound('why')))).toEqual({
      error: { message: 'why', type: 'invalid_request_error', param: null, code: 'not_found' },
    });
  });
});

describe('answers', () => {
  const response = () => new ServerResponse(new IncomingMessage(new Socket()));

  test('a refusal is a whole answer, whose length is counted in bytes', () => {
    const answer = response();
    refuse(answer, tooMany('über'));
    expect([answer.statusCode, answer.writableEnded]).toEqual([429, true]);
    expect(answer.getHeaders()).toMatchObject({
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(refusalText(tooMany('über'))),
      'retry-after': 5,
    });
  });

  test('an answer that has begun is broken off, and not ended as if it were whole', () => {
    const answer = response();
    answer.writeHead(200);
    refuse(answer, tooLong('why'));
    expect([answer.destroyed, answer.writableEnded, answer.statusCode]).toEqual([true, false, 200]);
  });

  test('nothing is said to a client that has gone', () => {
    const answer = response();
    answer.destroy();
    refuse(answer, tooLong('why'));
    expect([answer.headersSent, answer.writableEnded]).toEqual([false, false]);
  });
});
