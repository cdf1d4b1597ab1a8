import { expect, test } from 'vitest';
import { disagrees, driftOf } from '../../src/profiles/drift.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';
import type { ServedByEngines } from '../../src/vocabulary/engine-sample.ts';

/** 4 req/s of 1,000 tokens in, 100 out. */
const profile = profileOf(
  { gpu: 'd', cost: 1, indexes: [[100], [1000]], tputs: [[4]], slos: { percentile: 99, ttft: 2, tpot: 0.1 } },
  'p',
);
/** Requests of two replicas in five minutes, of which some took longer than 2.5 s to the first token. */
const served = (requests: number, late: number, given: Partial<ServedByEngines> = {}): ServedByEngines => ({
  requests,
  promptTokens: 1000 * requests,
  generatedTokens: 100 * requests,
  podSeconds: 600,
  ttft: new Map([
    [1, requests - late],
    [2.5, requests - late],
    [Number.POSITIVE_INFINITY, requests],
  ]),
  tpot: null,
  e2e: null,
  ...given,
});

test.each([
  { name: 'less than the profile says, within the SLO', at: served(1200, 0), ratio: 1 },
  { name: 'more than it says, within the SLO', at: served(3600, 0), ratio: 1.5 },
  { name: 'less than it says, and late', at: served(1200, 120), ratio: 0.5 },
  { name: 'more than it says, and late: as it says', at: served(3600, 900), ratio: 1 },
  { name: 'about what it says, a few late', at: served(2400, 20), ratio: 1 },
  { name: 'more than it says, but nobody counts times', at: served(3600, 0, { ttft: null }), ratio: 1 },
  {
    name: 'as much, of requests half as large: no contradiction',
    at: served(2400, 0, { promptTokens: 1_200_000 }),
    ratio: 1,
  },
])('$name: $ratio', ({ at, ratio }) => {
  const drift = driftOf(profile, at)!;
  expect(drift.ratio).toBeCloseTo(ratio, 6);
  expect(disagrees(drift)).toBe(ratio === 1.5 || ratio === 0.5);
});

test('too few requests tell nothing', () => {
  expect([driftOf(profile, served(99, 50)), driftOf(profile, served(100, 50)) === null]).toEqual([null, false]);
});

test('what is between the limit and the next bound of the histogram may have been in time', () => {
  const between = new Map([
    [1, 0],
    [2.5, 1200],
    [Number.POSITIVE_INFINITY, 1200],
  ]);
  expect(driftOf(profile, served(1200, 0, { ttft: between }))!.missedShare).toBe(0);
});
