import type { Model, Plan, RoutedDemand, RoutingClass, Snapshot } from '../domain.ts';
import { classesOf } from './routing-plan.ts';

/** By how much demand is scaled in search of the most that the Ready replicas can bear. */
const scales = [
  ...[0.01, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.94, 0.97, 1],
  ...[1.03, 1.06, 1.12, 1.2, 1.35, 1.6, 2, 2.7, 4, 8, 16],
];

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
  const at = (scale: number): readonly RoutedDemand[] | null => {
    const demand = model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
    const plan = solve({ ...unlimited, models: [{ ...model, demand, variants }] });
    return plan.status === 'optimal' || plan.status === 'feasible' ? (plan.models[0]?.routing ?? []) : null;
  };
  let best: readonly RoutedDemand[] = [];
  let [from, to] = [0, scales.length - 1];
  while (from <= to) {
    const middle = (from + to) >> 1;
    const routing = at(scales[middle]!);
    if (routing === null) to = middle - 1;
    else [best, from] = [routing, middle + 1];
  }
  return best;
};

/** What routers are told of one model; all but the classes by `namespace/deployment`. */
export interface Routes {
  readonly model: string;
  readonly classes: readonly RoutingClass[];
  /** The replicas that the classes are for: the Ready ones, or those of the plan where none is. */
  readonly routedFor: Readonly<Record<string, number>>;
  readonly planned: Readonly<Record<string, number>>;
  /** Requests that one replica has in flight at its throughput within the SLO; absent = its profile tells no times. */
  readonly concurrency: Readonly<Record<string, number>>;
}

export const routesOf = (
  snapshot: Snapshot,
  plan: Plan,
  ready: ReadonlyMap<string, number>,
  solve: (snapshot: Snapshot) => Plan,
): readonly Routes[] =>
  snapshot.models.flatMap((model) => {
    const planned = plan.models.find(({ name }) => name === model.name);
    if (planned === undefined) return [];
    const now = (variant: string): number => ready.get(variant) ?? 0;
    const shared = readyRouting(snapshot, model, now, solve);
    const routing = shared.length > 0 ? shared : planned.routing;
    if (routing.length === 0) return [];
    const readyNow = Object.fromEntries(model.variants.map(({ name }) => [name, now(name)]));
    return [
      {
        model: model.name,
        classes: classesOf({ routing }),
        routedFor: shared.length > 0 ? readyNow : planned.replicas,
        planned: planned.replicas,
        concurrency: concurrencyOf(model, routing),
      },
    ];
  });

/**
 * By Little's law over the sizes that are routed to a variant, each in the measure of the time that it takes there; over all
 * sizes where none is. A cheap type has dozens of short requests in flight, and would have one of those that it is spared.
 */
const concurrencyOf = (
  { demand, variants }: Model,
  routing: readonly RoutedDemand[],
): Readonly<Record<string, number>> => {
  const bySize = new Map(routing.map((row) => [`${row.inputTokens}:${row.outputTokens}`, row.shares]));
  const shares = demand.map(({ inputTokens, outputTokens }) => bySize.get(`${inputTokens}:${outputTokens}`) ?? {});
  return Object.fromEntries(
    variants.flatMap((variant) => {
      const own = shares.some((some) => (some[variant.name] ?? 0) > 0);
      let [seconds, load] = [0, 0];
      for (const [row, { arrivalRate }] of demand.entries()) {
        const rate = arrivalRate * (own ? (shares[row]![variant.name] ?? 0) : 1);
        const [throughput, each] = [variant.throughputBeyondSlo[row]!, variant.e2eSeconds?.[row] ?? Number.NaN];
        if (!(rate > 0 && throughput > 0 && each > 0)) continue;
        seconds += rate * each;
        load += rate / throughput;
      }
      return load > 0 ? [[variant.name, seconds / load] as const] : [];
    }),
  );
};
