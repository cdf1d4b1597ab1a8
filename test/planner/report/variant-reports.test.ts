import { expect, test } from 'vitest';
import type { Belief } from '../../../src/planner/believe/believe.ts';
import { noStartups } from '../../../src/planner/believe/startups.ts';
import { variantReports } from '../../../src/planner/report/variant-reports.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { belief } from '../../helpers/beliefs.ts';
import { deployment } from '../../helpers/deployments.ts';

const now = 1000;
const change = { tolerance: 0.1, waitSeconds: 0 };
const paces = new Map([['ns/a', { up: change, down: change, spec: 'hpa' }]]);
const reportOf = (more: Partial<Belief>, last?: Decision) =>
  variantReports(belief(more), { now, paces, decisions: new Map(last && [['ns/a', last]]), startupSeconds: 120 })[0]!;
const demand = [
  { inputTokens: 1024, outputTokens: 64, arrivalRate: 3 },
  { inputTokens: 4096.4, outputTokens: 64, arrivalRate: 1 },
];

test('what lies beyond the grid is said with its share and its largest size in whole tokens', () => {
  const { extrapolatedShare, beyondGrid } = reportOf({ demand });
  expect(extrapolatedShare).toBe(0.25);
  expect(beyondGrid).toEqual({ share: 0.25, largest: '4096 + 64 tokens' });
});

test('nothing is said of the grid without a plan or without a profile', () => {
  expect(reportOf({ demand: null })).toMatchObject({ extrapolatedShare: null, beyondGrid: null });
  expect(reportOf({ demand, candidates: [] })).toMatchObject({ extrapolatedShare: null, beyondGrid: null });
});

test('an outage, a target that is not followed and a problem of the profile are each said', () => {
  const behaviour = {
    startups: { ...noStartups, seconds: [30, 40, 50] },
    outage: { attainable: 0, failures: 1, retryAt: now + 100 },
    following: { replicas: 1, rising: true, since: 0, unfollowedUntil: 1300, spec: null },
  };
  const report = reportOf({ demand, behaviours: new Map([['ns/a', behaviour]]), profileProblems: new Map([['ns/a', 'held']]) });
  expect(report).toMatchObject({
    deployment: 'ns/a',
    startupSeconds: 50,
    outOfStock: true,
    notFollowed: true,
    triedAgainAt: 1300,
    profileProblem: 'held',
  });
});

test('a Deployment of which nothing was seen takes as long to start as is set, and is neither out of stock nor unfollowed', () => {
  expect(reportOf({})).toMatchObject({ startupSeconds: 120, outOfStock: false, notFollowed: false, triedAgainAt: null });
});

test('the tolerance hides a small difference to a decision of our own, and says nothing of one that was restored', () => {
  const hidden = (replicas: number, restored = false) =>
    reportOf({ deployments: [deployment('a', { replicas: 20 })] }, { replicas, asOf: 990, ...(restored ? { restored } : {}) })
      .withinTolerance;
  expect([hidden(21), hidden(23), hidden(21, true)]).toEqual([true, false, false]);
});
