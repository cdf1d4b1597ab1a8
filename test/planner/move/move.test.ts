import { expect, test } from 'vitest';
import type { Belief } from '../../../src/planner/believe/believe.ts';
import type { ScalingBehaviour } from '../../../src/planner/believe/scaling-behaviour.ts';
import { noStartups } from '../../../src/planner/believe/startups.ts';
import { askedReplicasOf, type MoveMemory, move, nothingMoved } from '../../../src/planner/move/move.ts';
import { planModels } from '../../../src/planner/plan/plan.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { tickWork } from '../../../src/planner/plan/work-limit.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { belief } from '../../helpers/beliefs.ts';
import { deployment } from '../../helpers/deployments.ts';
import { settings } from '../../helpers/planner.ts';

const now = 1000;
const reading = { now, workload: null };
const behaving = (behaviour: Partial<ScalingBehaviour>): Belief['behaviours'] =>
  new Map([['ns/a', { startups: noStartups, outage: null, following: null, ...behaviour }]]);
const unfollowed = behaving({ following: { replicas: 1, rising: true, since: 0, unfollowedUntil: 1300, spec: null } });
const moved = (one: Belief, last: MoveMemory = nothingMoved) => {
  const tick = { reading, memory: { moved: last }, settings, workLimit: tickWork, makePlan: planOf, whatIf: planOf };
  const { decisions, wanted, blocked } = move(planModels([one], tick).next().value!, tick);
  return { decisions: Object.fromEntries(decisions), wanted: Object.fromEntries(wanted), blocked: [...blocked] };
};
/** `ns/a` serves 5 req/s with each replica: three are needed. */
const demand = [{ inputTokens: 1024, outputTokens: 64, arrivalRate: 12 }];

test('a plan starts from what was decided, without what only waits, and from no less than what runs where that was restored', () => {
  const from = (last: Decision | null, replicas = 4) =>
    askedReplicasOf(belief({ deployments: [deployment('a', { replicas })] }), new Map(last && [['ns/a', last]]), new Map()).get(
      'ns/a',
    );
  expect(from(null)).toBe(4);
  expect(from({ replicas: 2, asOf: now })).toBe(2);
  expect(from({ replicas: 3, asOf: now, waiting: 1 })).toBe(2);
  expect(from({ replicas: 2, asOf: now, restored: true })).toBe(4);
  expect(from({ replicas: 6, asOf: now, restored: true })).toBe(6);
});

test('of a Deployment that does not follow a plan starts from what runs, but from no more than is wanted', () => {
  const from = (wanted: ReadonlyMap<string, number>) =>
    askedReplicasOf(
      belief({ behaviours: unfollowed, deployments: [deployment('a', { replicas: 4 })] }),
      new Map([['ns/a', { replicas: 9, asOf: now }]]),
      wanted,
    ).get('ns/a');
  expect(from(new Map())).toBe(4);
  expect(from(new Map([['ns/a', 3]]))).toBe(3);
  expect(from(new Map([['ns/a', 5]]))).toBe(4);
});

test('the target moves toward the plan as of the data behind it, and what was wanted is remembered', () => {
  expect(moved(belief({ demand }))).toEqual({
    decisions: { 'ns/a': { replicas: 3, asOf: 990 } },
    wanted: { 'ns/a': [{ at: now, replicas: 3 }] },
    blocked: [],
  });
});

test('the target of a Deployment that does not follow is what the plan wants, however far that is', () => {
  const far = [{ ...demand[0]!, arrivalRate: 50 }];
  expect(moved(belief({ demand: far })).decisions).toEqual({ 'ns/a': { replicas: 3, asOf: 990 } });
  expect(moved(belief({ demand: far, behaviours: unfollowed })).decisions).toEqual({ 'ns/a': { replicas: 10, asOf: 990 } });
});

test('where pods do not come one replica more than the plan counts on waits for them', () => {
  const behaviours = behaving({ outage: { attainable: 1, failures: 1, retryAt: 1100 } });
  expect(moved(belief({ demand, behaviours })).decisions).toEqual({ 'ns/a': { replicas: 2, asOf: 990, waiting: 1 } });
});

test('an idle model goes to its label, where it has one and is not excluded, and what was wanted before is over', () => {
  const idle = (more: Partial<Belief>) =>
    moved(belief({ conclusion: { state: 'idle', reason: 'no request', silentUntil: 995 }, ...more }));
  const labelled = [deployment('a', { idleReplicas: 2, replicas: 5 }), deployment('b', { idleReplicas: null })];
  const wanted = { 'ns/a': [], 'ns/b': [] };
  const decisions = { 'ns/a': { replicas: 2, asOf: 995, idle: true } };
  expect(idle({ deployments: labelled })).toEqual({ decisions, wanted, blocked: [] });
  expect(idle({ deployments: labelled, excluded: new Map([['ns/a', 'no profile']]) }).decisions).toEqual({});
});

test('an idle model that is woken ahead gets what the plan wants, and never less than its label', () => {
  const conclusion = { state: 'idle', reason: 'no request', silentUntil: 995 } as const;
  const woken = (idleReplicas: number) =>
    moved(belief({ conclusion, demand, deployments: [deployment('a', { idleReplicas, replicas: 0 })] })).decisions;
  expect(woken(0)).toEqual({ 'ns/a': { replicas: 3, asOf: 995 } });
  expect(woken(4)).toEqual({ 'ns/a': { replicas: 4, asOf: 995 } });
});

test('without a plan nothing is decided, and what was wanted stays as it is', () => {
  const nothing = { decisions: {}, wanted: {}, blocked: [] };
  const last = { ...nothingMoved, decisions: new Map([['ns/a', { replicas: 2, asOf: 900 }]]) };
  expect(moved(belief(), last)).toEqual(nothing);
  expect(moved(belief({ conclusion: { state: 'stale', reason: 'why', silentUntil: 0 } }), last)).toEqual(nothing);
});
