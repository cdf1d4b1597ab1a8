import { type Model, type ModelPlan, type Snapshot, servesAll, type Variant } from '../../vocabulary/planning-documents.ts';
import type { MakePlan } from '../plan/counted-plans.ts';
import type { Mixes } from './variant-transition.ts';

/** Demand beyond what is expected, as a share of that. */
export interface BeyondExpected {
  /** In the demand of the model. */
  readonly headroom: number;
  /** That noise may bring. */
  readonly noise: number;
}

/**
 * Asks the planner itself what replicas can do, with bounds in place of the variants' own. Stock and quotas count only
 * where more replicas may be wanted. The budget never does.
 */
export const mixesOf = (
  model: Model,
  snapshot: Snapshot,
  whatIf: MakePlan,
  { headroom, noise }: BeyondExpected,
): Omit<Mixes, 'fits'> => {
  const { quotas: _, ...rest } = snapshot;
  const unlimited = { ...rest, budget: null, stock: {} };
  const planWith = (
    bounds: (variant: Variant) => Pick<Variant, 'minReplicas' | 'maxReplicas'>,
    demand = model.demand,
    within: Snapshot = unlimited,
  ): ModelPlan | null => {
    const variants = model.variants.map((variant) => ({ ...variant, ...bounds(variant) }));
    const plan = whatIf({ ...within, models: [{ ...model, demand, variants }] }, { routed: false, allOrNothing: true });
    return servesAll(plan) ? (plan.models[0] ?? null) : null;
  };
  /** The demand with so much headroom in place of what is in it. */
  const withHeadroom = (share: number) => {
    const scale = (1 + share) / (1 + headroom);
    return model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
  };
  const replicasOf = (plan: ModelPlan | null) => (plan === null ? null : new Map(Object.entries(plan.replicas)));
  return {
    carries: (mix, halfHeadroom = false) => {
      const demand = halfHeadroom ? withHeadroom(0.5 * headroom) : model.demand;
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
    cheapestWithRoom: () =>
      replicasOf(
        planWith(({ minReplicas, maxReplicas }) => ({ minReplicas, maxReplicas }), withHeadroom(headroom + noise), {
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
