import { describe, expect, test } from 'vitest';
import type { Belief } from '../../../src/planner/believe/believe.ts';
import type { State } from '../../../src/planner/believe/model-states.ts';
import { makeSnapshot } from '../../../src/planner/plan/make-snapshot.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { noLimits } from '../../../src/planner/plan/stock-limits.ts';
import { report } from '../../../src/planner/report/report.ts';
import type { Plan, Snapshot } from '../../../src/vocabulary/planning-documents.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { belief } from '../../helpers/beliefs.ts';
import { deployment } from '../../helpers/deployments.ts';

const now = 1000;
interface Given {
  readonly decided?: Decision;
  readonly last?: Decision;
  readonly solved?: { readonly snapshot: Snapshot; readonly plan: Plan };
  readonly ofAllModels?: boolean;
  readonly routingPlans?: boolean;
}
const outcome = (one: Belief, { decided, last, solved, ofAllModels = true, routingPlans = false }: Given = {}) => {
  const planned = { beliefs: [one], ofAllModels, solved: solved ?? null, limits: noLimits, boundsIfPodsCame: new Map() };
  return report(
    { ...planned, unfollowed: new Map(), workPerRequest: new Map() },
    { decisions: new Map(decided && [['ns/a', decided]]), wanted: new Map(), forgone: new Map(), blocked: new Set() },
    {
      reading: { now, workload: null, ready: new Map() },
      memory: { moved: { decisions: new Map(last && [['ns/a', last]]) } },
      settings: { staleAfterSeconds: 300, startupSeconds: 120, routingPlans },
      whatIf: planOf,
    },
  );
};
const inState = (state: State, more: Partial<Belief> = {}) =>
  belief({ conclusion: { state, reason: 'why', silentUntil: 0 }, ...more });
const last = { replicas: 2, asOf: now - 100 };

describe('targets', () => {
  const targetOf = (one: Belief, given?: Given) => outcome(one, given).targets[0]!;

  test('what was decided newly is told, and where nothing was, what was decided last', () => {
    const decided = { replicas: 3, asOf: now };
    expect(targetOf(belief(), { decided, last }).decision).toEqual(decided);
    expect(targetOf(belief(), { last })).toMatchObject({ decision: last, standing: last });
  });

  test('without any decision the state is the answer, and what runs stands', () => {
    expect(targetOf(inState('quiet'))).toMatchObject({
      decision: { unavailable: 'quiet: why' },
      standing: { replicas: 1, asOf: now },
    });
  });

  test('a decision on stale data stands for the time that is set, and not a second longer', () => {
    const decision = (asOf: number) => targetOf(inState('stale'), { last: { replicas: 2, asOf } }).decision;
    expect(decision(now - 300)).toEqual({ replicas: 2, asOf: now - 300 });
    expect(decision(now - 301)).toEqual({ unavailable: 'stale: why' });
  });

  test('a Deployment that cannot take part says why, unless it is below its label', () => {
    const excluded = new Map([['ns/a', 'no profile']]);
    const decision = (idleReplicas: number) =>
      targetOf(belief({ excluded, deployments: [deployment('a', { idleReplicas })] }), { last }).decision;
    expect(decision(1)).toEqual({ unavailable: 'no profile' });
    expect(decision(2)).toEqual({ replicas: 2, asOf: now });
  });
});

describe('reports', () => {
  const model = { name: 'm', priority: 0, demand: [], variants: [], previous: null };
  const snapshot: Snapshot = { now: null, models: [model], stock: {}, budget: null, routing: 'none' };
  const row = { inputTokens: 1, outputTokens: 1, arrivalRate: 1.5 };
  const unserved = (['stock', 'budget', 'stock'] as const).map((reason) => ({ ...row, reason }));
  const plan: Plan = {
    ...{ status: 'infeasible', cost: 0, bound: null, gap: null, servedGap: 0, solve: { milliseconds: 0, nodes: 1, work: 0 } },
    models: [{ name: 'm', cost: 0, replicas: {}, routing: [], beyondSlo: [row, row], unserved }],
  };

  test('what is not served is summed by reason, and so is what is beyond the SLO', () => {
    const { models } = outcome(belief({ demand: [row, row] }), { solved: { snapshot, plan } });
    expect(models[0]).toMatchObject({ arrivalRate: 3, unserved: { stock: 3, budget: 1.5 }, beyondSlo: 3 });
  });

  test('the snapshot, and the plan of each model, are kept only of models that were planned together', () => {
    const together = outcome(belief(), { solved: { snapshot, plan } });
    expect([together.snapshot, together.plan]).toEqual([snapshot, plan]);
    const alone = outcome(belief(), { solved: { snapshot, plan }, ofAllModels: false });
    expect([alone.snapshot, alone.plan]).toEqual([null, { ...plan, models: [] }]);
  });

  test('a fresh model that nothing can serve says why of each Deployment', () => {
    const excluded = new Map([
      ['ns/a', 'no profile'],
      ['ns/b', 'no price'],
    ]);
    expect(outcome(belief({ candidates: [], excluded })).models[0]!.reason).toBe('no profile; no price');
    expect(outcome(inState('quiet', { candidates: [], excluded })).models[0]!.reason).toBe('why');
  });

  test('the strain is that of the most strained name, and never below 1', () => {
    const steady = { steadySince: 0, steadyFactor: 1, rate: 0, requestWork: 0.1, ready: 1, at: 0 };
    const strain = (...factors: number[]) =>
      outcome(belief({ strains: new Map(factors.map((factor, i) => [String(i), { ...steady, factor }])) })).models[0]!.strain;
    expect([strain(), strain(0.5), strain(1.25, 1.5)]).toEqual([1, 1, 1.5]);
  });

  test('routers are told nothing unless they are to be', () => {
    const one = belief({ demand: [{ inputTokens: 1024, outputTokens: 64, arrivalRate: 3 }] });
    const routed = makeSnapshot([one], { now, workload: null }, noLimits, new Map(), {
      routerKnowledge: 'none',
      budget: null,
      nodeLimit: 100,
      workLimit: 1000,
    });
    const solved = { snapshot: routed, plan: planOf(routed) };
    expect(outcome(one, { solved }).routes).toEqual([]);
    expect(outcome(one, { routingPlans: true }).routes).toEqual([]);
    expect(outcome(one, { solved, routingPlans: true }).routes).toHaveLength(1);
  });
});
