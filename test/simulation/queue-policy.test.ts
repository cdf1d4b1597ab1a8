import { expect, test } from 'vitest';
import type { ReplicaView } from '../../src/simulation/policy.ts';
import { queuePolicy } from '../../src/simulation/queue-policy.ts';

const view = (now: number, spec: number, waiting: number): ReplicaView => ({
  now,
  spec: () => spec,
  ready: () => spec,
  running: () => 0,
  waiting: () => waiting,
  pods: () => [],
});

test('rises by the ratio, twice or four at a time, and no further than its limit', () => {
  const wanted = (spec: number, waiting: number) =>
    [
      ...queuePolicy('q', 'a', 9)
        .sync(view(0, spec, waiting))
        .values(),
    ][0];
  expect([wanted(2, 3), wanted(2, 40), wanted(5, 40), wanted(3, 3.2)]).toEqual([3, 6, 9, 3]);
});

test('falls to the highest recommendation of five minutes, and never to 0', () => {
  const policy = queuePolicy('q', 'a', 9);
  const at = (now: number, spec: number, waiting: number) => [...policy.sync(view(now, spec, waiting)).values()][0];
  expect([at(0, 4, 4), at(15, 4, 0), at(299, 4, 0), at(301, 4, 0)]).toEqual([4, 4, 4, 1]);
});
