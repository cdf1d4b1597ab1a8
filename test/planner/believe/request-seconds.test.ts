import { expect, test } from 'vitest';
import { longestSeconds, meanSeconds } from '../../../src/planner/believe/request-seconds.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { candidate as candidateOf } from '../../helpers/beliefs.ts';
import { foundProfile } from '../../helpers/deployments.ts';
import { nothing, record } from '../../helpers/records.ts';

const candidate = (name: string, seconds: number | null, ready: number) =>
  candidateOf(name, { profile: { ...foundProfile(name, 5).profile, e2eSeconds: seconds === null ? null : [seconds] }, ready });
const shape = [
  { inputTokens: 1024, outputTokens: 64, share: 0.75 },
  { inputTokens: 512, outputTokens: 64, share: 0.25 },
];

test('the mean is that of the slowest variant that is Ready', () => {
  expect(meanSeconds(shape, [candidate('a', 2, 1), candidate('b', 5, 1), candidate('c', 9, 0)])).toBeCloseTo(5, 9);
});

test('the slowest of all counts where none is Ready', () => {
  expect(meanSeconds(shape, [candidate('a', 2, 0), candidate('b', 9, 0)])).toBeCloseTo(9, 9);
});

test('nothing is known where no profile tells times', () => {
  expect(meanSeconds(shape, [candidate('a', null, 1)])).toBe(null);
  expect(meanSeconds(shape, [])).toBe(null);
});

test('the longest is asked of the requests that ended, on every variant', () => {
  const ended = record(10, 1, { '6:10': 1 });
  const candidates = [candidate('a', 2, 1), candidate('b', null, 1), candidate('c', 9, 0)];
  expect(longestSeconds([nothing(0), ended], candidates)).toBeCloseTo(9, 9);
});

test('the longest is not known where no request has ended', () => {
  const none: readonly Interval[] = [nothing(0), record(10, 3), { time: 20, found: 'broken' }];
  expect(longestSeconds(none, [candidate('a', 2, 1)])).toBe(null);
});
