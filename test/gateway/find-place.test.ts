import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Place } from '../../src/gateway/choose-pod.ts';
import { createPlaceFinder } from '../../src/gateway/find-place.ts';
import type { GatewayMetrics } from '../../src/gateway/gateway-metrics.ts';
import type { GatewayParts, GatewaySettings } from '../../src/gateway/gateway-parts.ts';
import { modelFronts } from '../../src/gateway/model-fronts.ts';
import { createModelPods, failed, type Pod } from '../../src/gateway/model-pods.ts';
import type { GatewayRequest } from '../../src/gateway/openai-request.ts';
import type { Passage } from '../../src/gateway/passage.ts';
import { seeded } from '../../src/vocabulary/random.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

const usual: GatewaySettings = {
  ...{ overflow: 1, serveLate: 0.1, mostRequests: 100, heldRequests: 10, heldBytes: 1000, heldSeconds: 20 },
  ...{ attempts: 3, requestSeconds: 60 },
};
/** One request in flight for each pod. */
const onePerPod: RoutingPlan = {
  ...{ version: 1, model: 'm', created: 0, expires: 1e9, ready: {}, planned: {} },
  classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
  concurrency: { 'ns/a': 1 },
};

const setUp = (more: Partial<GatewayParts> = {}, settings: Partial<GatewaySettings> = {}) => {
  const modelPods = createModelPods();
  const said: string[] = [];
  const metrics = {
    rejected: (model: string, reason: string) => said.push(`${model} rejected: ${reason}`),
    held: (model: string) => said.push(`${model} held`),
  } as unknown as GatewayMetrics;
  const parts = {
    ...{ modelPods, metrics, plan: () => onePerPod, clock: () => 0, unreachable: () => null },
    onNoPods: (model: string) => said.push(`${model} asleep`),
    ...more,
  } as GatewayParts;
  const allSettings = { ...usual, ...settings };
  const places = createPlaceFinder(parts, allSettings);
  const front = modelFronts(parts.plan, parts.clock, allSettings).of('m');
  const set = (...origins: readonly string[]) => modelPods.update(new Map([['m', new Map([['ns/a', origins]])]]));
  const pods = (): readonly Pod[] => [...(modelPods.variants('m')?.values() ?? [])].flat();
  const passage = (about: Partial<Passage> = {}): Passage => ({
    request: { call: 'chat', model: 'm', body: 'body' } as GatewayRequest,
    to: { path: '/', headers: {} },
    response: {} as ServerResponse,
    counter: { arrived: () => {}, ended: () => {}, failed: () => {} },
    ...{ front, inputTokens: 30, outputTokens: 12, onlyOrigin: null, startedAt: 0 },
    ...{ stop: new AbortController(), tried: new Set(), last: null },
    ...about,
  });
  return { places, front, modelPods, set, pods, passage, said };
};
const taken = (answer: unknown): Place => answer as Place;

test('a place is taken with its tokens, and given back with them', async () => {
  const { places, set, pods, passage } = setUp();
  set('http://1');
  const asking = passage();
  const place = taken(await places.find(asking));
  expect(pods()[0]).toMatchObject({ requests: 1, given: 1, outstandingTokens: 42 });
  places.leave(asking, place);
  expect(pods()[0]).toMatchObject({ requests: 0, given: 1, outstandingTokens: 0 });
});

test('where every pod is full the next one waits, and gets the place that is given back', async () => {
  const { places, front, set, passage, said } = setUp();
  set('http://1');
  const first = passage();
  const place = taken(await places.find(first));
  const waiting = places.find(passage());
  expect(front.room.waiting()).toBe(1);
  expect([front.heldInput, front.heldOutput]).toEqual([30, 12]);
  places.leave(first, place);
  places.callWaiting('m', front);
  expect(taken(await waiting).pod).toBe(place.pod);
  expect([front.room.waiting(), front.heldInput]).toEqual([0, 0]);
  expect(said).toEqual(['m held']);
});

test('who waits for a model without a pod wakes it, and goes on when one comes', async () => {
  const { places, front, set, pods, passage, said } = setUp();
  set();
  const waiting = places.find(passage());
  expect(said).toEqual(['m held', 'm asleep']);
  set('http://1');
  places.callWaiting('m', front);
  expect(taken(await waiting).pod).toBe(pods()[0]);
});

test.each([
  { name: 'is busy', origins: ['http://1'], status: 429 },
  { name: 'has no replica yet', origins: [], status: 503 },
])('who has waited long enough is told that the model $name', async ({ name, origins, status }) => {
  const { places, set, passage, said } = setUp();
  set(...origins);
  if (origins.length > 0) await places.find(passage());
  const waiting = places.find(passage());
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await waiting).toMatchObject({ status, message: `m ${name}; the request waited 20 s` });
  expect(said).toContain('m rejected: waited too long');
});

test('a full room refuses at once', async () => {
  const { places, set, passage, said } = setUp({}, { heldRequests: 0 });
  set('http://1');
  await places.find(passage());
  expect(await places.find(passage())).toMatchObject({ status: 429 });
  expect(said).toEqual(['m rejected: no room']);
});

test('a client that leaves while it waits has no place', async () => {
  const { places, set, passage } = setUp();
  set();
  const stop = new AbortController();
  const waiting = places.find(passage({ stop }));
  stop.abort();
  expect(await waiting).toBeNull();
});

test('an unknown model, and one that cannot be reached, are refused at once', async () => {
  const { places, set, passage, said } = setUp({ unreachable: () => 'a NetworkPolicy keeps it apart' });
  expect(await places.find(passage())).toMatchObject({ status: 404 });
  set();
  expect(await places.find(passage())).toMatchObject({
    status: 503,
    message: 'm cannot be reached: a NetworkPolicy keeps it apart',
  });
  expect(said).toEqual(['m rejected: unreachable']);
});

test('a request that goes on from a response goes to the pod that keeps it, full or not', async () => {
  const { places, set, pods, passage } = setUp();
  set('http://1', 'http://2');
  for (let time = 0; time < 3; time += 1)
    expect(taken(await places.find(passage({ onlyOrigin: 'http://2' })))).toEqual({ pod: pods()[1], why: 'response' });
});

test('once the pod that keeps a response has failed the request, another one may know it', async () => {
  const { places, set, pods, passage } = setUp();
  set('http://1', 'http://2');
  const failedBy = { onlyOrigin: 'http://2', tried: new Set([pods()[1]!]) };
  expect(taken(await places.find(passage(failedBy))).pod).toBe(pods()[0]);
});

test('who was failed by every pod is told what the last one said', async () => {
  const { places, set, pods, passage } = setUp();
  set('http://1');
  const last = { status: 502, message: 'it broke off' } as Passage['last'];
  expect(await places.find(passage({ tried: new Set(pods()), last }))).toBe(last);
  expect(await places.find(passage({ tried: new Set(pods()) }))).toMatchObject({ message: 'no replica of m answers' });
});

test('the end of a pod’s rest makes room, without anything else happening', async () => {
  let now = 0;
  const { places, front, modelPods, pods, passage } = setUp({ clock: () => now });
  modelPods.update(
    new Map([
      [
        'm',
        new Map([
          ['ns/a', ['http://1']],
          ['ns/b', ['http://2']],
        ]),
      ],
    ]),
  );
  const [busy, resting] = pods() as [Pod, Pod];
  expect(taken(await places.find(passage())).pod).toBe(busy);
  failed(resting, now);
  const waiting = places.find(passage());
  expect(front.room.waiting()).toBe(1);
  now = resting.restsUntil;
  await vi.advanceTimersByTimeAsync(1000 * resting.restsUntil);
  expect(front.room.waiting()).toBe(0);
  expect(taken(await waiting).pod).toBe(resting);
});

test('whoever comes and goes, a pod never has more than it can take, and in the end nothing', async () => {
  for (let seed = 0; seed < 50; seed += 1) {
    const random = seeded(seed);
    const { places, front, set, pods, passage } = setUp();
    set(...Array.from({ length: 1 + Math.floor(3 * random()) }, (_, index) => `http://${index}`));
    const placed: { asking: Passage; place: Place }[] = [];
    const asked: Promise<unknown>[] = [];
    const come = () => {
      const asking = passage({ inputTokens: Math.floor(1000 * random()), outputTokens: Math.floor(100 * random()) });
      asked.push(
        places.find(asking).then((answer) => 'pod' in (answer as Place) && placed.push({ asking, place: taken(answer) })),
      );
    };
    const go = () => {
      const [gone] = placed.splice(Math.floor(random() * placed.length), 1);
      if (gone === undefined) return;
      places.leave(gone.asking, gone.place);
      places.callWaiting('m', front);
    };
    for (let step = 0; step < 40; step += 1) {
      if (random() < 0.5) come();
      else go();
      await vi.advanceTimersByTimeAsync(0);
      expect(pods().reduce((sum, pod) => sum + pod.requests, 0)).toBeLessThanOrEqual(pods().length);
      expect(pods().reduce((sum, pod) => sum + pod.requests, 0)).toBe(placed.length);
    }
    while (placed.length > 0) {
      go();
      await vi.advanceTimersByTimeAsync(0);
    }
    await Promise.all(asked);
    expect(pods().map(({ requests, outstandingTokens }) => [requests, outstandingTokens])).toEqual(pods().map(() => [0, 0]));
  }
});
