import { expect, test } from 'vitest';
import { problemFinding } from '../../src/cli/problem-findings.ts';
import { undercount } from '../../src/planner/read.ts';
import { problemsOf } from '../../src/planner/report/tick-problems.ts';

const model = {
  name: 'm',
  state: 'fresh' as const,
  reason: '',
  arrivalRate: 1,
  unserved: { stock: 1 },
  beyondSlo: 1,
  forecast: null,
  strain: 1,
  headroom: 0.1,
  dataAt: 0,
  recordDefect: { kind: 'arrivals' as const, counted: 28, ended: 2351, lastAt: 990 },
  deployments: ['ns/a'],
  swapBlocked: true,
  cannotWake: true,
  variants: [
    {
      deployment: 'ns/a',
      startupSeconds: 1,
      outOfStock: true,
      podsRefused: 'exceeded quota',
      notFollowed: true,
      triedAgainAt: null,
      withinTolerance: false,
      extrapolatedShare: 1,
      beyondGrid: { share: 0.6, largest: '8192 + 64 tokens' },
      profileProblem: 'its profile serves no size at all',
    },
  ],
};

test('everything that serve warns of has an id of its own, which names what mends it', () => {
  const said = ['may not list pods: see the ClusterRole gpumix', ...undercount(3), ...problemsOf([model])];
  const ids = [...said, 'Redis takes no write of ours: READONLY', 'our clock differs from that of Redis by 30 s'].map(
    (one) => problemFinding(one).id,
  );
  expect(ids.toSorted()).toEqual(
    [
      ...[
        'right-missing',
        'gateway-replicas',
        'record-defect',
        'unserved',
        'cannot-wake',
        'swap-blocked',
        'profile',
        'extrapolated',
      ],
      ...['out-of-stock', 'not-followed', 'beyond-slo', 'redis-read-only', 'clock'],
    ].toSorted(),
  );
});

test('what nobody has thought of is a problem all the same', () => {
  expect(problemFinding('the moon is full')).toMatchObject({ verdict: 'wrong', id: 'problem', seen: 'the moon is full' });
});
