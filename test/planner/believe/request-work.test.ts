import { expect, test } from 'vitest';
import type { Candidate } from '../../../src/planner/believe/candidates.ts';
import { byReady, meanWork } from '../../../src/planner/believe/request-work.ts';
import { profileOf } from '../../../src/profiles/profile-document.ts';

const candidate = (key: string, ready: number, tputs: number[][]): Candidate => ({
  ...{ key, gpu: key, gpusPerReplica: 1, price: 1, running: ready, ready },
  profile: profileOf(
    {
      gpu: key,
      cost: 1,
      indexes: [
        [100, 1000],
        [100, 1000],
      ],
      tputs,
    },
    key,
  ),
  bounds: { minReplicas: 0, maxReplicas: null },
});
const short = { inputTokens: 100, outputTokens: 100 };
const long = { inputTokens: 1000, outputTokens: 100 };

test('the mean over sizes and Ready replicas, each by its own profile', () => {
  const a = candidate('a', 1, [
    [10, 5],
    [5, 2],
  ]);
  const b = candidate('b', 3, [
    [20, 20],
    [10, 10],
  ]);
  const half = [short, long].map((size) => ({ ...size, share: 0.5 }));
  expect(meanWork(half, [a], byReady)).toBeCloseTo(0.5 / 10 + 0.5 / 5, 9);
  const mixed = meanWork(half, [a, b], byReady);
  expect(mixed).toBeGreaterThan(meanWork(half, [b], byReady));
  expect(mixed).toBeCloseTo(0.25 * meanWork(half, [a], byReady) + 0.75 * meanWork(half, [b], byReady), 9);
});

test('what is not Ready does not count', () => {
  const a = candidate('a', 0, [
    [10, 5],
    [5, 2],
  ]);
  expect(meanWork([{ ...short, share: 1 }], [a], byReady)).toBe(0);
});
