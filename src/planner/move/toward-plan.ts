import type { Model, ModelPlan, Plan, Snapshot, Variant } from '../../vocabulary/planning-documents.ts';
import { keyOf, type Memory, type Situation } from '../believe/believe.ts';
import { fitsBeside } from './stock-beside.ts';
import { type Mixes, type Transition, type TransitionSettings, transition } from './transition.ts';

/** A plan, what it was made from, and who made it. */
export interface Solved {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly solve: (snapshot: Snapshot) => Plan;
}

interface Unfollowed {
  /** Of Deployments whose targets are not followed, what the plan wants of them. */
  readonly unfollowed: ReadonlyMap<string, number>;
}

/** Of one model: from what was published last, and runs, toward its plan. */
export const towardPlan = (
  { deployments, offers }: Situation,
  planned: ModelPlan,
  { snapshot, plan, solve }: Solved,
  { decisions, recent, unfollowed }: Pick<Memory, 'decisions' | 'recent'> & Unfollowed,
  settings: TransitionSettings & { readonly headroom: number },
  now: number,
): Transition => {
  const running = new Map(deployments.map((deployment) => [keyOf(deployment), deployment.replicas]));
  const current = (key: string): number => {
    const last = decisions.get(key);
    const runs = running.get(key) ?? 0;
    // What is beyond its wish may be gone as soon as it is followed again.
    if (unfollowed.has(key)) return Math.min(runs, unfollowed.get(key)!);
    if (last === undefined) return runs;
    return last.restored === true ? Math.max(last.replicas, runs) : last.replicas - (last.waiting ?? 0);
  };
  // What nobody can serve says nothing of what there should be.
  const stands = planned.unserved.some(({ reason }) => reason === 'profile');
  const steps = offers.map(({ key, price, ready }) => ({
    key,
    price,
    planned: Math.max(planned.replicas[key] ?? 0, stands ? current(key) : 0),
    current: current(key),
    ready: Math.min(ready, unfollowed.get(key) ?? ready),
    recent: recent.get(key) ?? [],
  }));
  const model = snapshot.models.find(({ name }) => name === planned.name)!;
  const mixes = { ...mixesOf(model, snapshot, solve, settings.headroom), fits: fitsBeside(snapshot, plan, model.name) };
  const next = transition(steps, mixes, now, settings);
  return { ...next, targets: new Map([...next.targets].map(([key, target]) => [key, unfollowed.get(key) ?? target])) };
};

/**
 * Asks the planner itself what replicas can do, with bounds in place of the variants' own; what limits them is asked only
 * where more are wanted, and then what other models leave of a budget is not.
 */
const mixesOf = (
  model: Model,
  snapshot: Snapshot,
  solve: (snapshot: Snapshot) => Plan,
  headroom: number,
): Omit<Mixes, 'fits'> => {
  const { quotas: _, ...rest } = snapshot;
  const unlimited = { ...rest, budget: null, stock: {} };
  const planWith = (
    bounds: (variant: Variant) => Pick<Variant, 'minReplicas' | 'maxReplicas'>,
    demand = model.demand,
    limits: Snapshot = unlimited,
  ): ModelPlan | null => {
    const variants = model.variants.map((variant) => ({ ...variant, ...bounds(variant) }));
    const plan = solve({ ...limits, models: [{ ...model, demand, variants }] });
    return plan.status === 'optimal' || plan.status === 'feasible' ? (plan.models[0] ?? null) : null;
  };
  /** The demand with so much headroom in place of the whole. */
  const withHeadroom = (share: number) => {
    const scale = (1 + share * headroom) / (1 + headroom);
    return model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
  };
  const replicasOf = (plan: ModelPlan | null) => (plan === null ? null : new Map(Object.entries(plan.replicas)));
  return {
    carries: (mix, bare = false) => {
      const demand = bare ? withHeadroom(0.5) : model.demand;
      // What a variant is told beyond its bound is not there: it is short of stock, say.
      const exactly = ({ name, maxReplicas }: Variant) => {
        const replicas = Math.min(mix.get(name) ?? 0, maxReplicas ?? Number.POSITIVE_INFINITY);
        return { minReplicas: replicas, maxReplicas: replicas };
      };
      return planWith(exactly, demand) !== null;
    },
    cheapestWithin: (most) => {
      if (model.variants.some(({ name, minReplicas }) => minReplicas > (most.get(name) ?? 0))) return null;
      return replicasOf(
        planWith(({ name, minReplicas, maxReplicas }) => ({
          minReplicas,
          maxReplicas: Math.min(maxReplicas ?? Number.POSITIVE_INFINITY, most.get(name) ?? 0),
        })),
      );
    },
    roomy: () =>
      replicasOf(
        planWith(({ minReplicas, maxReplicas }) => ({ minReplicas, maxReplicas }), withHeadroom(1.5), {
          ...snapshot,
          budget: null,
        }),
      ),
    cheapestAbove: (least) => {
      if (model.variants.some(({ name, maxReplicas }) => maxReplicas !== null && maxReplicas < (least.get(name) ?? 0)))
        return null;
      return replicasOf(
        planWith(
          ({ name, minReplicas, maxReplicas }) => ({
            minReplicas: Math.max(minReplicas, least.get(name) ?? 0),
            maxReplicas,
          }),
          model.demand,
          { ...snapshot, budget: null },
        ),
      );
    },
  };
};
