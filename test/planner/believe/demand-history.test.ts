import { expect, test } from 'vitest';
import type { Candidate } from '../../../src/planner/believe/candidates.ts';
import { type DemandHistory, demandHistoryWith, foreseenGrowthOfWork } from '../../../src/planner/believe/demand-history.ts';
import { meanWork, requestWorks } from '../../../src/planner/believe/request-work.ts';
import { profileOf } from '../../../src/profiles/profile-document.ts';

const candidate = (key: string): Candidate => ({
  ...{ key, gpu: key, gpusPerReplica: 1, price: 1, replicas: 1, ready: 1 },
  profile: profileOf(
    {
      ...{ gpu: key, cost: 1 },
      indexes: [
        [100, 200],
        [100, 10_000],
      ],
      tputs: [
        [10, 0.1],
        [5, 0.05],
      ],
    },
    key,
  ),
  bounds: { minReplicas: 0, maxReplicas: null },
});

const workOf = (inputTokens: number, candidates: readonly Candidate[]) => {
  const { means: works } = requestWorks([{ inputTokens, outputTokens: 100, share: 1 }], candidates);
  return meanWork(
    works,
    works.map(() => 1),
  );
};

/** Ten minutes of the same rate, of prompts that are so long after so many seconds. */
const after = (inputTokens: (second: number) => number, candidates: (second: number) => readonly Candidate[]) => {
  let history: DemandHistory | undefined;
  let growth = 1;
  for (let second = 0; second <= 1800; second += 10) {
    const seen = {
      ...{ at: 1e9 + second, rate: 10, candidates: candidates(second), startupSeconds: 120, shapeAgeSeconds: 120 },
      work: workOf(inputTokens(second), candidates(second)),
    };
    history = demandHistoryWith(history, seen);
    growth = foreseenGrowthOfWork(history, seen);
  }
  return { history: history!, growth };
};

test('prompts that grow are foreseen as work that grows, though no more of them come', () => {
  const one = [candidate('a')];
  // 4 tokens more a second, 240 s ahead, at about 7,600: 1.13 times the work.
  const { growth, history } = after(
    (second) => 400 + 4 * second,
    () => one,
  );
  expect(growth).toBeGreaterThan(1.08);
  expect(growth).toBeLessThan(1.2);
  expect(history.rate.level).toBeCloseTo(10, 6);
});

test('prompts that stay as they are are no growth, and none is foreseen from variants that come and go', () => {
  const [a, b] = [candidate('a'), candidate('b')];
  const same = () => 1000;
  expect(after(same, () => [a]).growth).toBe(1);
  expect(after(same, (second) => (second < 1500 ? [a] : [a, b])).growth).toBe(1);
});
