import fc from 'fast-check';
import { expect, test } from 'vitest';
import { routingPlanWriter } from '../../../src/planner/publish/routing-plan-writer.ts';
import { classesForReady, classesOf } from '../../../src/planner/report/ready-routing.ts';
import type { TickOutcome } from '../../../src/planner/report/tick-outcome.ts';
import type { RoutedDemand } from '../../../src/vocabulary/planning-documents.ts';
import { memoryStore } from '../../../src/workload/memory-store.ts';

const row = (inputTokens: number, outputTokens: number, arrivalRate: number, shares: RoutedDemand['shares']) => ({
  inputTokens,
  outputTokens,
  arrivalRate,
  shares,
});

test('one class per input size, from 0 to infinity, the border at the geometric mean', () => {
  const routing = [
    row(1024, 64, 1, { a: 1 }),
    row(64, 64, 3, { b: 1 }),
    row(64, 256, 1, { a: 0.5, b: 0.5 }),
    row(256, 64, 2, { a: 0.25, b: 0.75 }),
  ];
  expect(classesOf({ routing })).toEqual([
    { fromTokens: 0, toTokens: 128, shares: { a: 0.125, b: 0.875 } },
    { fromTokens: 128, toTokens: 512, shares: { a: 0.25, b: 0.75 } },
    { fromTokens: 512, toTokens: null, shares: { a: 1 } },
  ]);
  expect(classesOf({ routing: [] })).toEqual([]);
});

test('shares are for the replicas that are Ready', () => {
  const classes = [{ fromTokens: 0, toTokens: null, shares: { a: 0.5, b: 0.5 } }];
  const shares = (ready: Readonly<Record<string, number>>) => classesForReady(classes, { a: 2, b: 4, c: 1 }, ready)[0]?.shares;
  expect(shares({ a: 2, b: 4, c: 1 })).toEqual({ a: 0.5, b: 0.5 });
  expect(shares({ a: 2, b: 2, c: 1 })).toEqual({ a: 2 / 3, b: 1 / 3 });
  expect(shares({ a: 9, b: 0, c: 1 })).toEqual({ a: 1 });
  expect(shares({ a: 0, b: 0, c: 3 })).toEqual({ c: 1 });
  expect(shares({ a: 0, b: 0, c: 0 })).toEqual({ a: 0.5, b: 0.5 });
});

test('whatever is planned, the classes cover every size once and shares sum to 1', () => {
  const share = fc.record({
    a: fc.double({ min: 0.01, max: 1, noNaN: true }),
    b: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  const rows = fc.array(
    fc.record({
      inputTokens: fc.integer({ min: 1, max: 200_000 }),
      arrivalRate: fc.double({ min: 0.01, max: 99, noNaN: true }),
      share,
    }),
    { minLength: 1, maxLength: 20 },
  );
  fc.assert(
    fc.property(rows, fc.nat(3), fc.nat(3), (given, readyA, readyB) => {
      const routing = given.map(({ inputTokens, arrivalRate, share: { a, b } }) =>
        row(inputTokens, 8, arrivalRate, { a: a / (a + b), b: b / (a + b) }),
      );
      const classes = classesForReady(classesOf({ routing }), { a: 2, b: 1 }, { a: readyA, b: readyB });
      let end: number | null = 0;
      for (const one of classes) {
        expect(one.fromTokens).toBe(end);
        expect(Object.values(one.shares).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
        end = one.toTokens;
      }
      expect(end).toBe(null);
    }),
  );
});

const planned = { 'ns/a': 2 };
const decided = (...names: readonly string[]): Pick<TickOutcome, 'models' | 'routes'> => ({
  models: ['m', 'a/b'].map((name) => ({ name })) as never,
  routes: names.map((model) => ({
    model,
    classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
    routedFor: planned,
    planned,
    concurrency: model === 'm' ? { 'ns/a': 12.5 } : {},
    ttftSeconds: model === 'm' ? 2 : null,
  })),
});

test('each tick renews every model, also those that nothing new was planned for', async () => {
  const clock = { now: 1000 };
  const store = memoryStore(() => clock.now);
  const publish = routingPlanWriter(store, { prefix: 'gpumix:', lifetimeSeconds: 300 });
  const read = async (model: string) => JSON.parse((await store.read([`gpumix:plan:${model}`]))[0] ?? 'null');
  expect(await publish(decided('m', 'a/b'), () => 2, 1000)).toEqual([]);
  expect(await read('a/b')).toEqual({
    version: 1,
    model: 'a/b',
    created: 1000,
    expires: 1300,
    classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
    ready: { 'ns/a': 2 },
    planned: { 'ns/a': 2 },
    concurrency: {},
  });
  await publish(decided(), () => 1, 1010);
  expect(await read('m')).toMatchObject({ created: 1010, ready: { 'ns/a': 1 }, concurrency: { 'ns/a': 12.5 }, ttftSeconds: 2 });
  await publish({ ...decided(), models: [{ name: 'm' }] as never }, () => 1, 1020);
  expect(await read('a/b')).toMatchObject({ created: 1010 });
  clock.now = 1311;
  expect(await read('a/b')).toBe(null);
});

test('between two plans a variant has its share in the measure of its replicas that are left', async () => {
  const store = memoryStore(() => 1000);
  const publish = routingPlanWriter(store, { prefix: 'gpumix:', lifetimeSeconds: 300 });
  const read = async () => JSON.parse((await store.read(['gpumix:plan:m']))[0] ?? 'null');
  const classes = [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 0.75, 'ns/b': 0.25 } }];
  const [routes] = decided('m').routes;
  const ready = { 'ns/a': 3, 'ns/b': 1 };
  const both = { 'ns/a': 2, 'ns/b': 0 };
  await publish(
    { ...decided(), routes: [{ ...routes!, classes, routedFor: ready, planned: both }] },
    (key) => (key === 'ns/a' ? 3 : 1),
    1000,
  );
  expect(await read()).toMatchObject({ classes, planned: both, ready });
  await publish(decided(), () => 1, 1010);
  expect(await read()).toMatchObject({ classes: [{ shares: { 'ns/a': 0.5, 'ns/b': 0.5 } }] });
});

test('what cannot be written is one problem', async () => {
  const publish = routingPlanWriter(
    { write: () => Promise.reject(new Error('READONLY')) },
    { prefix: 'gpumix:', lifetimeSeconds: 300 },
  );
  expect(await publish(decided('m', 'a/b'), () => 2, 1000)).toEqual(['routing plans are not written: READONLY']);
});
