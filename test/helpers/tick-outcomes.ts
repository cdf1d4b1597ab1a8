import type { ModelReport } from '../../src/planner/report/tick-outcome.ts';
import type { Target } from '../../src/vocabulary/target.ts';

/** The target of Deployment `ns/<name>`. */
export const targetOf = (deployment: string, decision: Target['decision']): Target => ({
  namespace: 'ns',
  deployment,
  labels: {},
  decision,
  standing: { replicas: 1, asOf: 0 },
});

/** Model `m` of Deployment `ns/a`, of which everything is said that can be said: most things are wrong with it. */
export const troubledModel: ModelReport = {
  name: 'm',
  state: 'fresh',
  reason: 'r',
  arrivalRate: 3.5,
  unserved: { stock: 1.5 },
  beyondSlo: 0.5,
  swapBlocked: true,
  cannotWake: false,
  variants: [
    {
      deployment: 'ns/a',
      startupSeconds: 90,
      outOfStock: true,
      podsRefused: null,
      notFollowed: false,
      triedAgainAt: null,
      withinTolerance: true,
      extrapolatedShare: 0.25,
      beyondGrid: null,
      profileProblem: null,
    },
  ],
  forecast: null,
  strain: 1.25,
  headroom: 0.1,
  dataAt: 990,
  recordDefect: { kind: 'arrivals', counted: 28, ended: 2351, lastAt: 990 },
  deployments: ['ns/a'],
};
