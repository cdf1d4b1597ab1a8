import { expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { routesOf } from '../../../src/planner/report/ready-routing.ts';

/** Short requests and long ones; the cheap variant serves a long one in an hour, the other one both. */
const demand = [
  { inputTokens: 128, outputTokens: 64, arrivalRate: 9 },
  { inputTokens: 4096, outputTokens: 64, arrivalRate: 1 },
];
const variant = (name: string, price: number, throughput: readonly number[], e2eSeconds: readonly number[] | null) => ({
  ...{ name, gpu: name, gpusPerReplica: 1, price, minReplicas: 0, maxReplicas: null, running: null, ready: null },
  ...{ throughput, throughputBeyondSlo: throughput, e2eSeconds, sloShare: null },
});
const snapshot = (times: boolean) => ({
  ...{ now: null, stock: {}, budget: null, routing: 'input' as const },
  models: [
    {
      ...{ name: 'm', priority: 0, demand, previous: null },
      variants: [
        variant('ns/cheap', 1, [10, 0.001], times ? [4, 500] : null),
        variant('ns/dear', 9, [10, 5], times ? [1, 2] : null),
      ],
    },
  ],
});
const routes = (ready: Record<string, number>, times = true) => {
  const given = snapshot(times);
  return routesOf(given, planOf(given), new Map(Object.entries(ready)), new Map([['m', 2]]), planOf)[0]!;
};

test('what a replica has in flight follows from the sizes that are routed to it, not from those it is spared', () => {
  const { classes, concurrency, routedFor, planned } = routes({ 'ns/cheap': 1, 'ns/dear': 1 });
  expect(planned).toEqual({ 'ns/cheap': 1, 'ns/dear': 1 });
  expect(routedFor).toEqual({ 'ns/cheap': 1, 'ns/dear': 1 });
  expect(classes.at(-1)?.shares).toEqual({ 'ns/dear': 1 });
  expect(concurrency['ns/cheap']).toBeCloseTo(40, 6); // 10 req/s of 4 s each; of all sizes it would be 1
  expect(concurrency['ns/dear']).toBeGreaterThanOrEqual(10 - 1e-9);
});

test('of a variant that nothing is routed to, all sizes count; without times nothing is said', () => {
  const { concurrency } = routes({ 'ns/cheap': 0, 'ns/dear': 3 });
  expect(concurrency['ns/cheap']).toBeCloseTo((9 * 4 + 500) / (9 / 10 + 1000), 6);
  expect(routes({ 'ns/cheap': 1, 'ns/dear': 1 }, false).concurrency).toEqual({});
});

test('where nothing is Ready the routing is the plan’s own, for the replicas that it wants', () => {
  const { routedFor, planned } = routes({});
  expect(routedFor).toEqual(planned);
});
