import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AnswerReader, type PodConnections, podConnections } from '../../src/gateway/pod-connections.ts';
import { completion, jsonAnswer, type ScriptedPod, scriptedPod } from '../helpers/gateway.ts';

let pod: ScriptedPod;
let connections: PodConnections;
beforeEach(async () => {
  pod = await scriptedPod();
  connections = podConnections({ connectSeconds: 1, silenceSeconds: 5 });
});
afterEach(async () => {
  await connections.close();
  await pod.close();
});

/** Reads everything, unless a test says otherwise. */
const reader = (more: Partial<AnswerReader> = {}) => {
  const read = { status: 0, headers: {} as IncomingHttpHeaders, text: '' };
  const answer: AnswerReader = {
    head: (status, headers) => {
      Object.assign(read, { status, headers });
      return true;
    },
    piece: (piece) => {
      read.text += piece;
      return true;
    },
    ...more,
  };
  return { read, answer };
};
const asked = () => ({ origin: pod.origin, path: '/v1/completions', headers: { 'x-request-id': '7' }, body: '{"model":"m"}' });

test('the head, then the body; a POST unless it says otherwise', async () => {
  pod.answer = (response, _, request) => jsonAnswer(response, `${request.method} ${completion}`, 201);
  const { read, answer } = reader();
  expect(await connections.ask(asked(), answer).ended).toBeNull();
  expect([read.status, read.headers['content-type'], read.text]).toEqual([201, 'application/json', `POST ${completion}`]);
  expect(pod.seen[0]).toMatchObject({ url: '/v1/completions', headers: { 'x-request-id': '7' }, body: '{"model":"m"}' });
  const again = reader();
  await connections.ask({ ...asked(), method: 'GET', body: null }, again.answer).ended;
  expect(again.read.text).toMatch(/^GET /);
});

test('a body that is not wanted is not read, and that is no failure', async () => {
  const pieces: Buffer[] = [];
  const { answer } = reader({ head: () => false, piece: (piece) => pieces.push(piece) > 0 });
  expect(await connections.ask(asked(), answer).ended).toBeNull();
  expect(pieces).toEqual([]);
});

test('a reader that has enough gets nothing more until it resumes', async () => {
  const second = Promise.withResolvers<void>();
  pod.answer = async (response) => {
    response.writeHead(200).write('first');
    await second.promise;
    response.end('second');
  };
  const first = Promise.withResolvers<void>();
  let [paused, text, early] = [true, '', false];
  const { answer } = reader({
    piece: (piece) => {
      early ||= paused && text !== '';
      text += piece;
      first.resolve();
      return !paused;
    },
  });
  const asking = connections.ask(asked(), answer);
  await first.promise;
  second.resolve();
  // A whole round trip on another connection later what was sent would have been here.
  await connections.ask({ ...asked(), path: '/other' }, reader().answer).ended.catch(() => {});
  expect([text, early]).toEqual(['first', false]);
  paused = false;
  asking.resume();
  expect(await asking.ended).toBeNull();
  expect(text).toBe('firstsecond');
});

test('a kept connection that the pod has closed meanwhile is asked again, once', async () => {
  const sockets: Socket[] = [];
  pod.server.on('connection', (socket) => sockets.push(socket));
  let requests = 0;
  pod.answer = (response) => {
    requests += 1;
    // The second request comes on the connection of the first, and finds it gone.
    if (requests === 2) response.socket!.destroy();
    else jsonAnswer(response, completion);
  };
  await connections.ask(asked(), reader().answer).ended;
  const { read, answer } = reader();
  expect(await connections.ask(asked(), answer).ended).toBeNull();
  expect([read.text, requests, sockets.length]).toEqual([completion, 3, 2]);
});

test('a pod that breaks off each time is asked twice, and then it is said', async () => {
  pod.answer = (response) => void response.socket!.destroy();
  expect(await connections.ask(asked(), reader().answer).ended).toMatch(/other side closed|ECONNRESET|terminated/);
  expect(pod.seen).toHaveLength(2);
});

test('what breaks off after its head is not asked again: the client may have seen some of it', async () => {
  pod.answer = (response) => {
    response.writeHead(200, { 'content-length': '100' });
    response.write('some', () => response.socket!.destroy());
  };
  const { read, answer } = reader();
  expect(await connections.ask(asked(), answer).ended).not.toBeNull();
  expect([read.text, pod.seen.length]).toEqual(['some', 1]);
});

test('nobody there, in one line', async () => {
  const { origin } = pod;
  await pod.close();
  expect(await connections.ask({ ...asked(), origin }, reader().answer).ended).toMatch(/^connect ECONNREFUSED/);
});

test.each([
  ['before it is sent', () => {}],
  ['while the pod is silent', async (arrived: Promise<void>) => await arrived],
])('a request that is aborted %s ends at once, and as one that nobody wants', async (_, wait) => {
  const arrived = Promise.withResolvers<void>();
  pod.answer = () => arrived.resolve();
  const asking = connections.ask(asked(), reader().answer);
  await wait(arrived.promise);
  asking.abort();
  expect(await asking.ended).toBeNull();
});
