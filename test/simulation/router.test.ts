import { expect, test } from 'vitest';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotFor } from '../../src/simulation/capacity.ts';
import { profileSet } from '../../src/simulation/profile-sets.ts';
import { createReplicas } from '../../src/simulation/replicas.ts';
import { createRouter } from '../../src/simulation/router.ts';

/** Shares of 1,000 requests of one size among Ready replicas, at so many requests per second. */
const shares = (ready: Readonly<Record<string, number>>, rate: number) => {
  const { variants, profiles } = profileSet('llama-8b');
  const size = { inputTokens: 1024, outputTokens: 128 };
  const initial = new Map(Object.entries(ready));
  const replicas = createReplicas({ variants, initial, stock: () => ({}), faults: [] }, () => {});
  const snapshot = snapshotFor([{ ...size, arrivalRate: rate }], { variants, profiles, routerKnowledge: 'size' });
  const router = createRouter('size', replicas, planOf);
  router.follow({ snapshot, plan: planOf(snapshot) });
  const counts: Record<string, number> = {};
  for (let request = 0; request < 1000; request += 1) {
    const { key } = router.choose(size)!.variant;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
};

test('what the Ready replicas have to spare is shared, though the plan would fill one type', () => {
  const counts = shares({ 'simulated/l40s': 2, 'simulated/h100': 1 }, 30);
  // 2 L40S serve a third of what 1 H100 does.
  expect(counts['simulated/l40s']).toBeGreaterThan(250);
  expect(counts['simulated/h100']).toBeGreaterThan(500);
});

test('so is a shortage', () => {
  const counts = shares({ 'simulated/l40s': 2, 'simulated/h100': 1 }, 60);
  expect(counts['simulated/l40s']).toBeGreaterThan(200);
  expect(counts['simulated/h100']).toBeGreaterThan(500);
});
