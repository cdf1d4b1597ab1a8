import { expect, test } from 'vitest';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import type { ModelReport } from '../../../src/planner/report/tick-outcome.ts';
import { podsMissingText, problemsOf } from '../../../src/planner/report/tick-problems.ts';

const variant: ModelReport['variants'][number] = {
  ...{ deployment: 'ns/a', startupSeconds: 90, outOfStock: false, podsRefused: null, notFollowed: false },
  ...{ triedAgainAt: null, withinTolerance: false, extrapolatedShare: 0, beyondGrid: null, profileProblem: null },
};
const model: ModelReport = {
  ...{
    name: 'm',
    state: 'fresh',
    reason: 'r',
    arrivalRate: 3,
    unserved: {},
    beyondSlo: 0,
    forecast: null,
    strain: 1,
    headroom: 0.1,
  },
  ...{ dataAt: 990, recordDefect: null, deployments: ['ns/a'], swapBlocked: false, cannotWake: false, variants: [variant] },
};
const problems = (more: Partial<ModelReport> = {}) => problemsOf([{ ...model, ...more }]);

test('nothing is said of a model that is well', () => {
  expect(problems()).toEqual([]);
});

test('each thing that is wrong with a model has its line', () => {
  const variants = [{ ...variant, outOfStock: true, notFollowed: true, profileProblem: 'held' }];
  const recordDefect = { kind: 'pending' as const, counted: -1, ended: 3, lastAt: 990 };
  expect(
    problems({ unserved: { stock: 1, budget: 2, paused: 1 }, swapBlocked: true, cannotWake: true, recordDefect, variants }),
  ).toEqual([
    expect.stringContaining('fewer than 0 requests as pending'),
    'model m: not all demand can be served: stock',
    'model m: not all demand can be served: budget',
    'model m: not all demand can be served: what could serve it is paused by gpumix.io/paused',
    expect.stringContaining('cannot wake it'),
    expect.stringContaining('swap blocked'),
    'ns/a: held',
    'ns/a: out of stock: its pods do not come within their startup time; planned with what it has',
    expect.stringMatching(/^ns\/a: not followed/),
  ]);
});

test('least replicas that cost more than the budget are said once for all models', () => {
  const variant = { name: 'ns/a', gpu: 'H100', price: 6, throughput: [1], minReplicas: 2 };
  const demand = [{ inputTokens: 1, outputTokens: 1, arrivalRate: 1 }];
  const snapshot = snapshotOf({ models: [{ name: 'm', demand, variants: [variant] }], budget: 10 });
  expect(problemsOf([model], snapshot)).toEqual(['the least replicas of ns/a cost $12/h, and the budget is $10/h']);
});

test('requests that no variant serves within its SLO are said', () => {
  expect(problems({ beyondSlo: 0.5 })).toEqual(['model m: some requests are beyond the SLO of every variant']);
});

test('demand beyond the grid is said in two steps, so that a share that moves is not said anew', () => {
  const said = (share: number) => problems({ variants: [{ ...variant, beyondGrid: { share, largest: '9 + 9 tokens' } }] });
  expect(said(0.09)).toEqual([]);
  expect(said(0.1)).toEqual([expect.stringContaining('over a tenth of the demand')]);
  expect(said(0.4)).toEqual(said(0.1));
  expect(said(0.5)).toEqual([expect.stringContaining('over half of the demand')]);
});

test('what Kubernetes says of pods that it does not make takes the place of our own guess', () => {
  expect(podsMissingText('exceeded quota')).toBe('out of stock: exceeded quota; planned with what it has');
});
