import type { Model, ModelPlan, Plan, Snapshot, Variant } from '../domain.ts';
import { keyOf, type Memory, type Situation } from './situation.ts';
import { type Mixes, type Transition, type TransitionSettings, transition } from './transition.ts';

/** Of one model: from what was published last, and runs, toward its plan. */
export const towardPlan = (
  { deployments, offers }: Situation,
  planned: ModelPlan,
  snapshot: Snapshot,
  solve: (snapshot: Snapshot) => Plan,
  { decisions, recent }: Memory,
  settings: TransitionSettings,
  now: number,
): Transition => {
  const running = new Map(deployments.map((deployment) => [keyOf(deployment), deployment.replicas]));
  const current = (key: string): number => {
    const last = decisions.get(key);
    const runs = running.get(key) ?? 0;
    if (last === undefined) return runs;
    return last.restored === true ? Math.max(last.replicas, runs) : last.replicas;
  };
  const steps = offers.map(({ key, price, ready }) => ({
    key,
    price,
    planned: planned.replicas[key] ?? 0,
    current: current(key),
    ready,
    recent: recent.get(key) ?? [],
  }));
  const model = snapshot.models.find(({ name }) => name === planned.name)!;
  return transition(steps, mixesOf(model, snapshot, solve), now, settings);
};

/** Asks the planner itself what replicas can do, with bounds in place of the variants' own; what limits them is not asked. */
const mixesOf = (model: Model, snapshot: Snapshot, solve: (snapshot: Snapshot) => Plan): Mixes => {
  const { quotas: _, ...rest } = snapshot;
  const unlimited = { ...rest, budget: null, stock: {} };
  const planWith = (bounds: (variant: Variant) => Pick<Variant, 'minReplicas' | 'maxReplicas'>): ModelPlan | null => {
    const variants = model.variants.map((variant) => ({ ...variant, ...bounds(variant) }));
    const plan = solve({ ...unlimited, models: [{ ...model, variants }] });
    return plan.status === 'optimal' || plan.status === 'feasible' ? (plan.models[0] ?? null) : null;
  };
  return {
    carries: (mix) =>
      planWith(({ name }) => ({ minReplicas: mix.get(name) ?? 0, maxReplicas: mix.get(name) ?? 0 })) !== null,
    cheapestWithin: (most) => {
      if (model.variants.some(({ name, minReplicas }) => minReplicas > (most.get(name) ?? 0))) return null;
      const plan = planWith(({ name, minReplicas, maxReplicas }) => ({
        minReplicas,
        maxReplicas: Math.min(maxReplicas ?? Number.POSITIVE_INFINITY, most.get(name) ?? 0),
      }));
      return plan === null ? null : new Map(Object.entries(plan.replicas));
    },
  };
};
