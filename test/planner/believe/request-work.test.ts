import { expect, test } from 'vitest';
import type { Candidate } from '../../../src/planner/believe/candidates.ts';
import { meanWork, requestWorks } from '../../../src/planner/believe/request-work.ts';
import { profileOf } from '../../../src/profiles/profile-document.ts';

const candidate = (key: string, ready: number, tputs: number[][]): Candidate => ({
  ...{ key, gpu: key, gpusPerReplica: 1, price: 1, replicas: ready, ready },
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
const ofReady = (shape: Parameters<typeof requestWorks>[0], candidates: readonly Candidate[]) =>
  meanWork(
    requestWorks(shape, candidates).means,
    candidates.map(({ ready }) => ready),
  );
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
  expect(ofReady(half, [a])).toBeCloseTo(0.5 / 10 + 0.5 / 5, 9);
  const mixed = ofReady(half, [a, b]);
  expect(mixed).toBeGreaterThan(ofReady(half, [b]));
  expect(mixed).toBeCloseTo(0.25 * ofReady(half, [a]) + 0.75 * ofReady(half, [b]), 9);
});

test('what is not Ready does not count', () => {
  const a = candidate('a', 0, [
    [10, 5],
    [5, 2],
  ]);
  expect(ofReady([{ ...short, share: 1 }], [a])).toBe(0);
});
