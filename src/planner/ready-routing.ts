import type { Model, Plan, RoutedDemand, Snapshot } from '../domain.ts';

/** By how much demand is scaled in search of the most that the Ready replicas can bear. */
const scales = [2, 1.6, 1.35, 1.2, 1.12, 1.06, 1.03, 1, 0.97, 0.94, 0.9, 0.8, 0.65, 0.5, 0.35, 0.2, 0.1, 0.01];

/**
 * Where a model's demand goes among exactly the replicas that are Ready, at the largest scale of the demand that they carry:
 * so what there is to spare, or a shortage, is shared. A plan's own routing fills one type and leaves all that is to
 * spare on another.
 * @returns a row per row of demand; none where nothing is Ready
 */
export const readyRouting = (
  snapshot: Snapshot,
  model: Model,
  ready: (variant: string) => number,
  solve: (snapshot: Snapshot) => Plan,
): readonly RoutedDemand[] => {
  const variants = model.variants.map((variant) => {
    const replicas = ready(variant.name);
    return { ...variant, minReplicas: replicas, maxReplicas: replicas };
  });
  if (variants.every(({ maxReplicas }) => maxReplicas === 0)) return [];
  const unlimited = { ...snapshot, stock: {}, quotas: {}, budget: null };
  for (const scale of scales) {
    const demand = model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
    const plan = solve({ ...unlimited, models: [{ ...model, demand, variants }] });
    if (plan.status === 'optimal' || plan.status === 'feasible') return plan.models[0]?.routing ?? [];
  }
  return [];
};
