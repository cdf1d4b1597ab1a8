import type { Fleet, FleetModel } from '../../solver/fleet.ts';
import { defaultOptions, type ModelOutcome, solve } from '../../solver/solve.ts';
import { element } from '../../vocabulary/list-element.ts';
import type {
  Model,
  ModelPlan,
  Plan,
  RoutedDemand,
  Shortage,
  Snapshot,
  Status,
  UnservedDemand,
} from '../../vocabulary/planning-documents.ts';
import { holdFromAbove, servesAll } from '../../vocabulary/planning-documents.ts';
import { canServe, type DemandClasses, demandClasses, rowShares } from './demand-classes.ts';
import { type Pool, poolsOf } from './gpu-pools.ts';

/**
 * The plan of a snapshot: the one entry that serve, demo, plan and simulate share. The same snapshot gives the same plan,
 * whatever the order of its models, variants, rows and stock; only `solve.milliseconds` is as long as it takes by `clock`.
 * @param clock milliseconds from any start
 */
export const planOf = (snapshot: Snapshot, detail: PlanDetail = { routed: true }, clock: () => number = () => 0): Plan => {
  const started = clock();
  const spent = { work: 0 };
  const plan = plannedOneByOne(snapshot, detail, spent) ?? plannedTogether(withWorkLeft(snapshot, 1, spent), detail, spent);
  return { ...plan, solve: { ...plan.solve, work: Math.round(spent.work), milliseconds: clock() - started } };
};

/** What is asked of a plan. */
export interface PlanDetail {
  /** Whether to say where each row of demand goes: with many models it is most of a plan. */
  readonly routed: boolean;
  /** Whether one that cannot serve all is of no interest: it names no models, and nobody seeks what it can serve; absent = no. */
  readonly allOrNothing?: boolean;
}

/**
 * Each model by itself, as if the stock were there for it alone: the same plan where they fit together, and the classes of
 * only one of them in memory. Null where they do not, or where a budget is shared.
 */
const plannedOneByOne = (snapshot: Snapshot, detail: PlanDetail, spent: { work: number }): Plan | null => {
  if (snapshot.models.length < 2 || snapshot.budget !== null) return null;
  const left = poolsOf(snapshot).map((pool) => ({ pool, gpus: pool.gpus }));
  const plans: Plan[] = [];
  const models = [...snapshot.models].sort(byName);
  const work = left.length === 0 ? 1 : oneByOneShare;
  for (const [m, model] of models.entries()) {
    const share = work / (models.length - m);
    const plan = plannedTogether(withWorkLeft({ ...snapshot, models: [model] }, share, spent), detail, spent);
    const replicas = plan.models[0]?.replicas ?? {};
    for (const one of left)
      for (const variant of model.variants.filter(one.pool.takes))
        one.gpus -= variant.gpusPerReplica * (replicas[variant.name] ?? 0);
    const served = servesAll(plan);
    if (left.length > 0 && (!served || left.some(({ gpus }) => gpus < 0))) return null;
    plans.push(plan);
  }
  return joinedPlans(plans);
};

/** Share of the work for planning each model by itself, where stock may ask for planning them together after all. */
const oneByOneShare = 0.3;

/** The snapshot with a share of its work that is not spent yet. */
const withWorkLeft = (snapshot: Snapshot, share: number, { work }: { readonly work: number }): Snapshot =>
  snapshot.workLimit === undefined || snapshot.workLimit === null
    ? snapshot
    : { ...snapshot, workLimit: share * Math.max(0, snapshot.workLimit - work) };

/** One plan of several that share nothing: costs and bounds add, and the worst status counts. */
export const joinedPlans = (plans: readonly Plan[]): Plan => {
  const statuses: readonly Status[] = ['infeasible', 'feasible', 'optimal'];
  const sum = (value: (plan: Plan) => number) => rounded(plans.reduce((total, plan) => total + value(plan), 0));
  const cost = sum((plan) => plan.cost);
  const bound = plans.some((plan) => plan.bound === null)
    ? null
    : Math.min(
        cost,
        sum((plan) => plan.bound ?? 0),
      );
  return {
    status: statuses.find((status) => plans.some((plan) => plan.status === status)) ?? 'optimal',
    cost,
    bound,
    gap: gapOf(cost, bound),
    servedGap: joinedServedGap(plans),
    models: plans.flatMap(({ models }) => models),
    solve: {
      milliseconds: 0,
      nodes: plans.reduce((sum, { solve: { nodes } }) => sum + nodes, 0),
      work: plans.reduce((sum, { solve: { work } }) => sum + work, 0),
    },
  };
};

/** The largest of any, which is no less than the share of all; null where all is served. */
const joinedServedGap = (plans: readonly Plan[]): number | null => {
  const gaps = plans.flatMap(({ servedGap }) => servedGap ?? []);
  return gaps.length === 0 ? null : Math.max(...gaps);
};

/** req/s. */
const demandOfAll = ({ fleet }: FleetOfSnapshot): number =>
  fleet.models.reduce((sum, { rates }) => sum + rates.reduce((part, rate) => part + rate, 0), 0);

const gapOf = (cost: number, bound: number | null): number | null =>
  bound === null ? null : cost === 0 ? 0 : (cost - bound) / cost;

const plannedTogether = (snapshot: Snapshot, detail: PlanDetail, spent: { work: number }): Plan => {
  const problem = fleetOfSnapshot(snapshot);
  const { allOrNothing = false } = detail;
  const outcome = solve(problem.fleet, { ...defaultOptions, ...searchLimitsOf(snapshot), allOrNothing });
  spent.work += outcome.work;
  const left = leftOver(problem, outcome.models);
  const ofInterest = allOrNothing && !servesAll(outcome) ? [] : problem.models;
  const plans = ofInterest.map(({ model, classes }, m) => modelPlan(model, classes, element(outcome.models, m), left, detail));
  const cost = rounded(plans.reduce((sum, plan) => sum + plan.cost, 0));
  const bound = outcome.bound === null ? null : outcome.status === 'optimal' ? cost : Math.min(cost, rounded(outcome.bound));
  return {
    status: outcome.status,
    cost,
    bound,
    gap: gapOf(cost, bound),
    servedGap: outcome.servable === null ? null : rounded(outcome.servable / Math.max(1e-12, demandOfAll(problem))),
    models: plans,
    solve: { milliseconds: 0, nodes: outcome.nodes, work: outcome.work },
  };
};

/** A snapshot's numbers as the solver takes them, models and variants in order of name. */
export interface FleetOfSnapshot {
  readonly models: readonly { readonly model: Model; readonly classes: DemandClasses }[];
  readonly fleet: Fleet;
  /** What limits GPUs, in the order of the fleet's stock. */
  readonly pools: readonly Pool[];
  readonly budget: number | null;
}

export const fleetOfSnapshot = (snapshot: Snapshot): FleetOfSnapshot => {
  const { models, budget, routing } = snapshot;
  const pools = poolsOf(snapshot);
  const named = models
    .map((model) => ({ ...model, variants: [...model.variants].sort(byName) }))
    .sort(byName)
    .map((model) => ({ model, classes: demandClasses(model, model.routing ?? routing) }));
  return {
    models: named,
    pools,
    budget,
    fleet: {
      models: named.map(({ model, classes }) => fleetModel(model, classes, pools)),
      stock: pools.map(({ gpus }) => gpus),
      budget: budget ?? Number.POSITIVE_INFINITY,
    },
  };
};

const fleetModel = (model: Model, { rates, ways }: DemandClasses, pools: readonly Pool[]): FleetModel => ({
  priority: model.priority,
  rates,
  ways,
  variants: model.variants.map((variant) => ({
    price: variant.price,
    lower: variant.minReplicas,
    upper: variant.maxReplicas ?? Number.POSITIVE_INFINITY,
    pools: pools.flatMap((pool, index) => (pool.takes(variant) ? [index] : [])),
    gpus: variant.gpusPerReplica,
    running: variant.running,
  })),
  previous: model.previous === null ? null : model.variants.map(({ name }) => model.previous!.replicas[name] ?? 0),
});

/** After how much of a search the solve stops. */
export const searchLimitsOf = ({ nodeLimit, workLimit }: Snapshot): { nodeLimit?: number; workLimit?: number } => ({
  ...(nodeLimit === undefined || nodeLimit === null ? {} : { nodeLimit }),
  ...(workLimit === undefined || workLimit === null ? {} : { workLimit }),
});

/** What a plan leaves of every pool (GPUs) and of the budget (money/h). */
interface LeftOver {
  readonly gpus: ReadonlyMap<Pool, number>;
  readonly budget: number | null;
}

const leftOver = ({ fleet, pools, budget }: FleetOfSnapshot, outcomes: readonly ModelOutcome[]): LeftOver => {
  const gpus = new Map(pools.map((pool) => [pool, pool.gpus]));
  for (const [m, { variants }] of fleet.models.entries())
    for (const [g, { pools: drawsOn, gpus: each }] of variants.entries())
      for (const index of drawsOn) {
        const pool = element(pools, index);
        gpus.set(pool, gpus.get(pool)! - each * element(element(outcomes, m).mix, g));
      }
  return { gpus, budget };
};

const modelPlan = (
  model: Model,
  classes: DemandClasses,
  outcome: ModelOutcome,
  left: LeftOver,
  detail: PlanDetail,
): ModelPlan => {
  const { mix, served } = outcome;
  const shares = detail.routed ? rowShares(classes, outcome.way, mix, outcome.assignment) : [];
  const namedSharesOf = namedShares(model);
  const routing: RoutedDemand[] = [];
  const unserved: UnservedDemand[] = [];
  const shortages: Shortage[] = [];
  // By index: with many models this is a good part of a tick.
  for (let row = 0; row < model.demand.length; row += 1) {
    const demand = model.demand[row]!;
    const { inputTokens, outputTokens, arrivalRate } = demand;
    const c = element(classes.classOf, row);
    if (c < 0 && arrivalRate > 0) {
      unserved.push({ ...demand, reason: 'profile' });
      continue;
    }
    const part = c < 0 ? 1 : element(served, c);
    const sharesOfRow = !detail.routed ? null : c < 0 ? idleShares(model, mix, row) : element(shares, row);
    if (part > 0 && sharesOfRow !== null)
      routing.push({ inputTokens, outputTokens, arrivalRate: arrivalRate * part, shares: namedSharesOf(sharesOfRow) });
    if (part >= 1) continue;
    shortages[c] ??= shortage(model, classes, c, mix, left);
    unserved.push({ ...demand, arrivalRate: arrivalRate * (1 - part), reason: shortages[c] });
  }
  return {
    name: model.name,
    cost: rounded(model.variants.reduce((sum, { price }, g) => sum + price * element(mix, g), 0)),
    replicas: Object.fromEntries(model.variants.map(({ name }, g) => [name, element(mix, g)])),
    routing,
    beyondSlo: model.demand.filter(
      ({ arrivalRate }, row) => arrivalRate > 0 && model.variants.every(({ throughput }) => throughput[row] === 0),
    ),
    unserved,
  };
};

/** Only variants that take a share. Rows that are spread alike have the same object: with many models it is most of a plan. */
const namedShares = ({ variants }: Model): ((shares: readonly number[]) => Record<string, number>) => {
  let last: { readonly shares: readonly number[]; readonly named: Record<string, number> } | null = null;
  return (shares) => {
    if (last?.shares === shares) return last.named;
    const taken = variants.flatMap(({ name }, g) => (element(shares, g) > 0 ? [[name, element(shares, g)] as const] : []));
    const named = Object.fromEntries(taken);
    last = { shares, named };
    return named;
  };
};

/** A row at which nothing arrives would go to the variant with the most replicas among those that serve it. */
const idleShares = ({ variants }: Model, mix: ArrayLike<number>, row: number): number[] | null => {
  const within = variants.some(({ throughput }) => element(throughput, row) > 0);
  const serves = variants.map(
    ({ throughput, throughputBeyondSlo }) => element(within ? throughput : throughputBeyondSlo, row) > 0,
  );
  const best = variants.reduce(
    (chosen, _, g) => (serves[g] && (chosen < 0 || element(mix, g) > element(mix, chosen)) ? g : chosen),
    -1,
  );
  return best < 0 ? null : variants.map((_, g) => (g === best ? 1 : 0));
};

/**
 * What keeps a class from being served: the budget if some variant that may serve it could have one more replica by its
 * bound and the stock; else the stock if one could by its bound; else the bounds, and what has set them where no autoscaler did.
 */
const shortage = (
  { variants }: Model,
  classes: DemandClasses,
  c: number,
  mix: ArrayLike<number>,
  { gpus, budget }: LeftOver,
): Shortage => {
  const growing = variants.filter(
    ({ maxReplicas }, g) => canServe(classes, c, g) && (maxReplicas === null || element(mix, g) < maxReplicas),
  );
  const inStock = growing.some((variant) =>
    [...gpus].every(([pool, left]) => !pool.takes(variant) || left >= variant.gpusPerReplica),
  );
  if (inStock && budget !== null) return 'budget';
  if (growing.length > 0) return 'stock';
  const holds = variants.filter((_, g) => canServe(classes, c, g)).map(holdFromAbove);
  const [first = null] = holds.toSorted();
  return first === null || holds.includes(null) ? 'maxReplicas' : first;
};

/** Sums of prices such as 0.1 + 0.2, without the noise of the last bits. */
const rounded = (money: number): number => Number(money.toPrecision(12));

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byName = (a: { readonly name: string }, b: { readonly name: string }): number => byText(a.name, b.name);
