import type { Model, Plan, RoutedDemand, RoutingClass, Snapshot } from '../domain.ts';
import { classesOf } from './routing-plan.ts';

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

/** Classes, and the Ready replicas by `namespace/deployment` that they are for. */
export interface ReadyRoutes {
  readonly model: string;
  readonly classes: readonly RoutingClass[];
  readonly ready: Readonly<Record<string, number>>;
}

/** Of each model that something is Ready of; for others their plan's own routing says what to wait for. */
export const readyRoutes = (
  snapshot: Snapshot,
  ready: ReadonlyMap<string, number>,
  solve: (snapshot: Snapshot) => Plan,
): readonly ReadyRoutes[] =>
  snapshot.models.flatMap((model) => {
    const now = (variant: string): number => ready.get(variant) ?? 0;
    const routing = readyRouting(snapshot, model, now, solve);
    if (routing.length === 0) return [];
    const replicas = Object.fromEntries(model.variants.map(({ name }) => [name, now(name)]));
    return [{ model: model.name, classes: classesOf({ routing }), ready: replicas }];
  });
