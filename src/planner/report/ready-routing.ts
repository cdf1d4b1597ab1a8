import {
  type Model,
  type ModelPlan,
  type Plan,
  type RoutedDemand,
  type Snapshot,
  servesAll,
} from '../../vocabulary/planning-documents.ts';
import type { RoutingClass } from '../../vocabulary/routing-plan.ts';
import type { MakePlan } from '../plan/counted-plans.ts';

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
  whatIf: MakePlan,
): readonly RoutedDemand[] => {
  const variants = model.variants.map((variant) => {
    const replicas = ready(variant.name);
    return { ...variant, minReplicas: replicas, maxReplicas: replicas };
  });
  if (variants.every(({ maxReplicas }) => maxReplicas === 0)) return [];
  const unlimited = { ...snapshot, stock: {}, quotas: {}, budget: null };
  const at = (scale: number): readonly RoutedDemand[] | null => {
    const demand = model.demand.map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
    const plan = whatIf({ ...unlimited, models: [{ ...model, demand, variants }] }, { routed: true, allOrNothing: true });
    return servesAll(plan) ? (plan.models[0]?.routing ?? []) : null;
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
export interface ModelRoutes {
  readonly model: string;
  readonly classes: readonly RoutingClass[];
  /** The replicas that the classes are for: the Ready ones, or those of the plan where none is. */
  readonly routedFor: Readonly<Record<string, number>>;
  readonly planned: Readonly<Record<string, number>>;
  /** Requests that one replica has in flight at its throughput within the SLO; absent = its profile tells no times. */
  readonly concurrency: Readonly<Record<string, number>>;
  /** Limit on the time to the first token; null = the profiles have none. */
  readonly ttftSeconds: number | null;
}

export const routesOf = (
  snapshot: Snapshot,
  plan: Plan,
  ready: ReadonlyMap<string, number>,
  ttftSeconds: ReadonlyMap<string, number>,
  whatIf: MakePlan,
): readonly ModelRoutes[] =>
  snapshot.models.flatMap((model) => {
    const modelPlan = plan.models.find(({ name }) => name === model.name);
    if (modelPlan === undefined) return [];
    const now = (variant: string): number => ready.get(variant) ?? 0;
    const shared = readyRouting(snapshot, model, now, whatIf);
    const routing = shared.length > 0 ? shared : modelPlan.routing;
    if (routing.length === 0) return [];
    const readyNow = Object.fromEntries(model.variants.map(({ name }) => [name, now(name)]));
    return [
      {
        model: model.name,
        classes: classesOf({ routing }),
        routedFor: shared.length > 0 ? readyNow : modelPlan.replicas,
        planned: modelPlan.replicas,
        concurrency: concurrencyOf(model, routing),
        ttftSeconds: ttftSeconds.get(model.name) ?? null,
      },
    ];
  });

/**
 * By Little's law over the sizes that are routed to a variant, each in the measure of the time that it takes there; over all
 * sizes where none is. A cheap type has dozens of short requests in flight, and would have one of those that it is spared.
 */
const concurrencyOf = ({ demand, variants }: Model, routing: readonly RoutedDemand[]): Readonly<Record<string, number>> => {
  const bySize = new Map(routing.map((row) => [`${row.inputTokens}:${row.outputTokens}`, row.shares]));
  const shares = demand.map(({ inputTokens, outputTokens }) => bySize.get(`${inputTokens}:${outputTokens}`) ?? {});
  return Object.fromEntries(
    variants.flatMap((variant) => {
      const own = shares.some((ofRow) => (ofRow[variant.name] ?? 0) > 0);
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

/**
 * The classes that a plan routes by, as far as a router can tell them apart when a request arrives: by input size. Sizes
 * that differ in output only are one class, each with its weight; the border between two is their geometric mean.
 */
export const classesOf = ({ routing }: Pick<ModelPlan, 'routing'>): readonly RoutingClass[] => {
  const byInput = [...Map.groupBy(routing, ({ inputTokens }) => inputTokens)].sort(([a], [b]) => a - b);
  const border = (index: number): number => {
    const [below, above] = [byInput[index - 1]![0], byInput[index]![0]];
    return Math.ceil(Math.sqrt(Math.max(1, below) * Math.max(1, above)));
  };
  return byInput.map(([, rows], index) => ({
    fromTokens: index === 0 ? 0 : border(index),
    toTokens: index === byInput.length - 1 ? null : border(index + 1),
    shares: sharesOf(rows),
  }));
};

const sharesOf = (rows: readonly RoutedDemand[]): Readonly<Record<string, number>> => {
  const sums = new Map<string, number>();
  for (const { arrivalRate, shares } of rows)
    for (const [variant, share] of Object.entries(shares)) sums.set(variant, (sums.get(variant) ?? 0) + arrivalRate * share);
  return normalized([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
};

/**
 * The same classes for the replicas that are Ready now: a variant takes its share in the measure of its replicas that are there.
 * Where none of a class's own is Ready its requests go to the others, in proportion to their replicas; where nothing is Ready at
 * all the shares stay as planned.
 */
export const classesForReady = (
  classes: readonly RoutingClass[],
  routedFor: Readonly<Record<string, number>>,
  ready: Readonly<Record<string, number>>,
): readonly RoutingClass[] =>
  classes.map((routingClass) => {
    const present = Object.entries(routingClass.shares).map(
      ([variant, share]) => [variant, share * presence(ready[variant] ?? 0, routedFor[variant] ?? 0)] as const,
    );
    const anyOf = (weights: readonly (readonly [string, number])[]) => weights.some(([, weight]) => weight > 0);
    const replicas = Object.entries(ready);
    const shares = anyOf(present) ? normalized(present) : anyOf(replicas) ? normalized(replicas) : routingClass.shares;
    return { ...routingClass, shares };
  });

const presence = (ready: number, before: number): number => (before > 0 ? Math.min(1, ready / before) : 0);

const normalized = (weights: readonly (readonly [string, number])[]): Readonly<Record<string, number>> => {
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return Object.fromEntries(weights.flatMap(([name, weight]) => (weight > 0 ? [[name, weight / sum]] : [])));
};
