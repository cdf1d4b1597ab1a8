import type { IncomingHttpHeaders } from 'node:http';
import { expect, test } from 'vitest';
import { passedOn } from '../../src/gateway/passed-headers.ts';

test.each<{ name: string; headers: IncomingHttpHeaders; without?: string[]; passed: object }>([
  {
    name: 'what is for the other side goes on',
    headers: { authorization: 'k', accept: '*/*' },
    passed: { authorization: 'k', accept: '*/*' },
  },
  {
    name: 'several of one name go on as several',
    headers: { 'set-cookie': ['a=1', 'b=2'] },
    passed: { 'set-cookie': ['a=1', 'b=2'] },
  },
  {
    name: 'what belongs to the connection ends with it',
    headers: { host: 'x', 'keep-alive': '5', te: 'trailers', upgrade: 'h2c' },
    passed: {},
  },
  {
    name: 'so does what the connection names',
    headers: { connection: 'X-Hop ,close', 'x-hop': '1', 'x-far': '2' },
    passed: { 'x-far': '2' },
  },
  { name: 'length and encoding are made anew', headers: { 'content-length': '3', 'transfer-encoding': 'chunked' }, passed: {} },
  {
    name: 'the caller may leave out more',
    headers: { 'accept-encoding': 'gzip', accept: 'a' },
    without: ['accept-encoding'],
    passed: { accept: 'a' },
  },
])('$name', ({ headers, without, passed }) => {
  const before = structuredClone(headers);
  expect(passedOn(headers, without)).toEqual(passed);
  expect(headers).toEqual(before);
});
