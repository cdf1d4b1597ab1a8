import { expect, test } from 'vitest';
import { hpaPolicy, inFlightMetric, queueMetric, requestRateMetric } from '../../src/simulation/hpa-policy.ts';
import type { ReplicaView } from '../../src/simulation/policy.ts';

const view = (
  now: number,
  spec: number,
  counts: Partial<Record<'waiting' | 'running' | 'ready' | 'rate', number>>,
): ReplicaView => ({
  now,
  spec: () => spec,
  ready: () => counts.ready ?? spec,
  running: () => counts.running ?? 0,
  waiting: () => counts.waiting ?? 0,
  pods: () => [],
  arrivalRate: () => counts.rate ?? 0,
});
const first = (replicas: ReadonlyMap<string, number>) => [...replicas.values()][0];

test('rises by the ratio, twice or four at a time, and no further than its limit', () => {
  const wanted = (spec: number, waiting: number) => first(hpaPolicy('q', 'a', queueMetric, 9).sync(view(0, spec, { waiting })));
  expect([wanted(2, 3), wanted(2, 40), wanted(5, 40), wanted(3, 3.2)]).toEqual([3, 6, 9, 3]);
});

test('falls to the highest recommendation of five minutes, and never to 0', () => {
  const policy = hpaPolicy('q', 'a', queueMetric, 9);
  const at = (now: number, spec: number, waiting: number) => first(policy.sync(view(now, spec, { waiting })));
  expect([at(0, 4, 4), at(15, 4, 0), at(299, 4, 0), at(301, 4, 0)]).toEqual([4, 4, 4, 1]);
});

test('requests in flight are those that run and those that wait, in the mean of the Ready pods', () => {
  const policy = hpaPolicy('f', 'a', inFlightMetric(10), 9);
  expect(first(policy.sync(view(0, 4, { running: 30, waiting: 12, ready: 3 })))).toBe(5);
});

test('requests per second are shared by all replicas that there should be, so that those to come are not asked for twice', () => {
  const wanted = (rate: number) => first(hpaPolicy('r', 'a', requestRateMetric(5), 9).sync(view(0, 4, { rate, ready: 2 })));
  expect([wanted(21), wanted(24)]).toEqual([4, 5]);
});
