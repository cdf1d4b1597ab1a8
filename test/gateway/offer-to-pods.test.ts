import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { Place } from '../../src/gateway/choose-pod.ts';
import type { PlaceFinder } from '../../src/gateway/find-place.ts';
import type { GatewayParts, GatewaySettings } from '../../src/gateway/gateway-parts.ts';
import { createModelPods, type Pod } from '../../src/gateway/model-pods.ts';
import { createOffer } from '../../src/gateway/offer-to-pods.ts';
import type { GatewayRequest } from '../../src/gateway/openai-request.ts';
import type { Passage } from '../../src/gateway/passage.ts';
import type { AnswerReader } from '../../src/gateway/pod-connections.ts';
import { completion } from '../helpers/gateway.ts';

/** A client's side of an answer. */
class Client extends EventEmitter {
  [key: string]: unknown;
  destroyed = false;
  headersSent = false;
  statusCode = 0;
  text = '';
  setHeader(): void {}
  writeHead(status: number): this {
    Object.assign(this, { statusCode: status, headersSent: true });
    return this;
  }
  write(piece: Buffer): boolean {
    this.text += piece;
    return true;
  }
  end(piece: Buffer | string = ''): void {
    this.text += piece;
  }
  destroy(): void {
    this.destroyed = true;
  }
}

/** What a pod does with one request; null = the answer has come to its end. */
type Script = (reader: AnswerReader, body: string) => string | null;
const answers =
  (status: number, text = completion): Script =>
  (reader) => {
    if (reader.head(status, { 'content-type': 'application/json' })) reader.piece(Buffer.from(text));
    return null;
  };
const breaksOffAfter =
  (text: string): Script =>
  (reader) => {
    reader.head(200, { 'content-type': 'application/json' });
    if (text !== '') reader.piece(Buffer.from(text));
    return 'other side closed';
  };

const setUp = (scripts: readonly Script[], request: Partial<GatewayRequest> = {}, pods = 2) => {
  const modelPods = createModelPods();
  modelPods.update(new Map([['m', new Map([['ns/a', Array.from({ length: pods }, (_, index) => `http://${index}`)]])]]));
  const [pod] = modelPods.variants('m')!.get('ns/a') as [Pod];
  const said: string[] = [];
  const bodies: string[] = [];
  const left = scripts.slice();
  const response = new Client();
  const stop = new AbortController();
  const parts = {
    modelPods,
    connections: {
      ask: (asked: { readonly body: string }, reader: AnswerReader) => {
        bodies.push(asked.body);
        return { ended: Promise.resolve(left.shift()!(reader, asked.body)), resume: () => {}, abort: () => {} };
      },
    },
    metrics: {
      firstByte: () => said.push('first byte'),
      answered: (_: unknown, why: string, result: string) => said.push(`${why}: ${result}`),
      tokens: (_: unknown, input: number, output: number) => said.push(`${input} + ${output} tokens`),
    },
    clock: () => 100,
  } as unknown as GatewayParts;
  const places = {
    leave: () => said.push('left'),
    callWaiting: () => said.push('called'),
  } as unknown as PlaceFinder;
  const remembered: string[] = [];
  const offer = createOffer(parts, { attempts: 3 } as GatewaySettings, places, (id) => remembered.push(id));
  const passage = {
    request: { call: 'completions', model: 'm', body: 'body', ownBody: null, stream: false, usageAsked: true, ...request },
    ...{ to: { path: '/', headers: {} }, response: response as unknown as ServerResponse, stop, startedAt: 99 },
    ...{ inputTokens: 50, outputTokens: 5, onlyOrigin: null, tried: new Set<Pod>(), last: null },
    front: { turns: { read: () => said.push('read') }, estimate: { learn: () => said.push('learned') } },
    counter: {
      ended: (input: number, output: number) => said.push(`ended ${input} + ${output}`),
      failed: () => said.push('failed'),
    },
  } as unknown as Passage;
  const place: Place = { pod, why: 'plan' };
  return { offer: () => offer(passage, place), passage, pod, response, said, bodies, stop, remembered };
};

test('an answer is passed on, counted by the engine, learned from; the place is left last', async () => {
  const { offer, response, said, pod } = setUp([answers(200)]);
  pod.failures = 2;
  expect(await offer()).toBe('done');
  expect([response.statusCode, response.text]).toEqual([200, completion]);
  expect(said).toEqual(['read', 'first byte', 'plan: 200', 'learned', 'ended 100 + 7', '100 + 7 tokens', 'left', 'called']);
  expect(pod.failures).toBe(0);
});

test.each([429, 502, 503, 504])('where a pod answers %i another may do better, and this one rests', async (status) => {
  const { offer, response, said, pod, passage } = setUp([answers(status)]);
  expect(await offer()).toMatchObject({ status: expect.any(Number), message: expect.stringContaining('m') });
  expect([response.headersSent, pod.failures, passage.tried.has(pod)]).toEqual([false, 1, true]);
  expect(pod.restsUntil).toBeGreaterThan(100);
  expect(said).toEqual(['left', 'called']);
});

test('the last pod’s 503 goes to the client as it is', async () => {
  const { offer, response, said } = setUp([answers(503, 'busy')], {}, 1);
  expect(await offer()).toBe('done');
  expect([response.statusCode, response.text]).toEqual([503, 'busy']);
  expect(said).toContain('failed');
});

test('an answer that the request is to blame for goes to the client, and the pod stays in use', async () => {
  const { offer, response, pod, said } = setUp([answers(400, 'too long')]);
  expect(await offer()).toBe('done');
  expect([response.statusCode, pod.failures]).toEqual([400, 0]);
  expect(said).toContain('failed');
});

test('what breaks off before the client has seen any of it may be asked elsewhere; after that it is over', async () => {
  const early = setUp([breaksOffAfter('')]);
  expect(await early.offer()).toMatchObject({ message: 'a replica of m broke off: other side closed' });
  expect([early.response.destroyed, early.pod.failures]).toEqual([false, 1]);
  const late = setUp([breaksOffAfter('{"cho')]);
  expect(await late.offer()).toBe('done');
  expect([late.response.destroyed, late.pod.failures]).toEqual([true, 1]);
  expect(late.said).toEqual(['read', 'first byte', 'failed', 'plan: broken', 'left', 'called']);
});

test('a pod that cannot be reached is told apart from one that breaks off', async () => {
  const { offer } = setUp([() => 'connect ECONNREFUSED']);
  expect(await offer()).toMatchObject({ message: 'no replica of m answers: connect ECONNREFUSED' });
});

const asksForUsage = { stream: true, usageAsked: false, ownBody: 'own', body: 'with usage' };

test('a pod that refuses to be asked for counts gets the client’s own body, from then on at once', async () => {
  const { offer, bodies, pod } = setUp([answers(400), answers(200), answers(200)], asksForUsage);
  expect(await offer()).toBe('done');
  expect(await offer()).toBe('done');
  expect(bodies).toEqual(['with usage', 'own', 'own']);
  expect(pod.refusesUsage).toBe(true);
});

test('where a pod refuses the client’s own body too it was not for the counts', async () => {
  const { offer, bodies, pod, response } = setUp([answers(422), answers(422, 'no such field')], asksForUsage);
  expect(await offer()).toBe('done');
  expect([bodies, pod.refusesUsage, response.statusCode]).toEqual([['with usage', 'own'], false, 422]);
});

test('nothing is held against a pod whose client has left', async () => {
  const { offer, response, pod, said } = setUp([
    (reader) => {
      reader.head(200, { 'content-type': 'application/json' });
      response.destroyed = true;
      return 'aborted';
    },
  ]);
  expect(await offer()).toBe('done');
  expect([pod.failures, said]).toEqual([0, ['plan: left', 'failed', 'left', 'called']]);
});

test('a request whose time is over before the client has seen anything is refused by whoever timed it', async () => {
  const { offer, response, stop, said } = setUp([
    (reader) => {
      reader.head(200, {});
      stop.abort('time');
      return 'aborted';
    },
  ]);
  expect(await offer()).toBeNull();
  expect([response.destroyed, said]).toEqual([false, ['plan: too long', 'left', 'called']]);
});

test('which pod keeps a response is remembered', async () => {
  const { offer, remembered } = setUp([answers(200, '{"object":"response","id":"resp_1"}')], { call: 'responses' });
  await offer();
  expect(remembered).toEqual(['resp_1']);
});
