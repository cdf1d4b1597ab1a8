import { bestEffort, levelsOf, type MostServed } from './best-effort.ts';
import { type Fleet, mixCost, poolUse, prepared, withBudgetAsPool } from './fleet.ts';
import { Joint } from './joint.ts';
import { commonUnit, type SolveOptions, solveModel } from './one-model.ts';
import { lineTolerance } from './program.ts';
import { type ServedTogether, servedTogether } from './served-together.ts';
import { SharedStock } from './shared-stock.ts';

/** Enough for every realistic instance to be proven, and an end for the others. */
export const defaultOptions: SolveOptions = { nodeLimit: 200_000, tieLimit: 100 };

export interface ModelOutcome {
  /** Replicas per variant. */
  readonly mix: Float64Array;
  /** Share of each class on each variant, class x variant, and the share of each class that is served. */
  readonly assignment: Float64Array;
  readonly served: Float64Array;
  /** Index of the way that the router spreads classes in; -1 where the floors leave none. */
  readonly way: number;
}

/** Infeasible is an answer: the mixes then serve the most that was found to be servable. */
export interface Outcome {
  readonly status: 'optimal' | 'feasible' | 'infeasible';
  /** Lower limit on the cost (money/h); null where not all is served. */
  readonly bound: number | null;
  /** req/s that may be servable beyond what is served; 0 = proven that none is. Null where all is served. */
  readonly servable: number | null;
  readonly models: readonly ModelOutcome[];
  readonly nodes: number;
}

/** The cheapest mixes that carry all demand of a fleet, within its bounds, stock and budget. */
export const solve = (given: Fleet, options: SolveOptions = defaultOptions): Outcome => {
  const { fleet, floorsFit } = prepared(given);
  const solved = floorsFit ? solveAll(fleet, options) : none;
  const { mixes, status, bound, nodes } = solved;
  if (mixes !== null && fits(fleet, mixes))
    return {
      status: status === 'optimal' ? status : 'feasible',
      bound,
      servable: null,
      nodes,
      models: solved.models ?? assigned(new Joint(fleet, demandTotals(fleet)), mixes),
    };
  const joint = new Joint(fleet, demandTotals(fleet));
  const most = mostServed(fleet, joint, options, solved.most);
  const models = assigned(joint, most.mixes);
  const searched = nodes + most.nodes;
  return floorsFit && models.every(({ served }) => served.every((share) => share === 1))
    ? { status: 'feasible', bound: Math.min(bound, fleetCost(fleet, most.mixes)), servable: null, nodes: searched, models }
    : { status: 'infeasible', bound: null, servable: most.open, nodes: searched, models };
};

/** Variants of all models, above which a node of the joint search is dear. */
const manyVariants = 100;

/** Models on common stock by its prices first; then by the joint search, which proves what is small. */
const mostServed = (fleet: Fleet, joint: Joint, options: SolveOptions, seen: ServedTogether | null): MostServed => {
  const levels = levelsOf(fleet);
  const unit = commonUnit(fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)));
  const pooled = withBudgetAsPool(fleet, unit);
  if (!sharesStock(pooled)) return bestEffort(joint, levels, options.nodeLimit);
  const together =
    seen !== null && levels.length === 1 && pooled === fleet ? { ...seen, nodes: 0 } : servedTogether(pooled, levels, options);
  // On a large fleet the joint search proves nothing that the prices have not; it is asked for what is near.
  const nodeLimit = joint.variants > manyVariants ? options.nodeLimit / 20 : options.nodeLimit;
  const searched = bestEffort(joint, levels, nodeLimit, together.mixes);
  // Below the highest priority the prices have each model of a higher one keep what it leaves unserved: that proves nothing.
  const open = levels.length === 1 ? Math.min(together.open, searched.open) : searched.open;
  return { ...searched, open, nodes: together.nodes + searched.nodes };
};

const fleetCost = ({ models }: Fleet, mixes: readonly Float64Array[]): number =>
  mixes.reduce((sum, mix, m) => sum + mixCost(models[m]!, mix), 0);

interface Solved {
  readonly status: Outcome['status'] | 'stopped';
  readonly mixes: readonly Float64Array[] | null;
  /** Where the shares are known already. */
  readonly models: readonly ModelOutcome[] | null;
  /** What the search for a start has found to be servable, as if all had one priority; null = it was not asked. */
  readonly most: ServedTogether | null;
  readonly bound: number;
  readonly nodes: number;
}

const none: Solved = { status: 'infeasible', mixes: null, models: null, most: null, bound: 0, nodes: 0 };

/**
 * Every model by itself, as if stock held for each alone: the answer where they fit together, else all at once. The budget
 * waits: where the least cost is above it, it does not suffice.
 */
const solveAll = (fleet: Fleet, options: SolveOptions): Solved => {
  const shared = sharesStock(fleet) ? new SharedStock(fleet, options) : null;
  let nodes = 0;
  if (shared === null || shared.fitsRelaxed()) {
    const alone = separately(fleet, options);
    if (alone.mixes === null || fits({ ...fleet, budget: Number.POSITIVE_INFINITY }, alone.mixes)) return alone;
    nodes = alone.nodes;
  }
  let most: ServedTogether | null = null;
  const together = (shared ?? new SharedStock(fleet, options)).run(() => {
    most = servedTogether(fleet, [{ models: fleet.models.map((_, m) => m) }], options);
    nodes += most.nodes;
    return servesEverything(fleet, most.mixes) ? most.mixes : null;
  });
  return { ...together, models: null, most, nodes: nodes + together.nodes };
};

const servesEverything = (fleet: Fleet, mixes: readonly Float64Array[]): boolean =>
  assigned(new Joint(fleet, demandTotals(fleet)), mixes).every(({ served }) => served.every((share) => share === 1));

/** Whether some pool has several takers: with one, the stock is a bound like any other. */
const sharesStock = ({ models, stock }: Fleet): boolean =>
  stock.some(
    (_, pool) => models.reduce((sum, { variants }) => sum + variants.filter(({ pools }) => pools.includes(pool)).length, 0) > 1,
  );

const separately = (fleet: Fleet, options: SolveOptions): Solved => {
  let [bound, nodes] = [0, 0];
  let status = 'optimal' as Solved['status'];
  const models: ModelOutcome[] = [];
  for (const model of fleet.models) {
    const alone = solveModel(model, options);
    nodes += alone.nodes;
    bound += alone.bound;
    if (alone.status === 'infeasible') return { ...none, nodes };
    if (alone.status !== 'optimal') status = alone.status === 'stopped' || status === 'stopped' ? 'stopped' : 'feasible';
    const { mix, assignment, way } = alone;
    if (mix !== null) models.push({ mix, assignment, way, served: new Float64Array(model.rates.length).fill(1) });
  }
  const complete = models.length === fleet.models.length;
  return { status, mixes: complete ? models.map(({ mix }) => mix) : null, models, most: null, bound, nodes };
};

const fits = ({ models, stock, budget }: Fleet, mixes: readonly Float64Array[] | null): boolean => {
  if (mixes === null) return false;
  const used = stock.map(() => 0);
  let cost = 0;
  mixes.forEach((mix, m) => {
    cost += mixCost(models[m]!, mix);
    for (const [pool, gpus] of poolUse(models[m]!, mix, stock.length).entries()) used[pool]! += gpus;
  });
  return used.every((gpus, pool) => gpus <= stock[pool]!) && cost <= budget * (1 + lineTolerance);
};

const assigned = (joint: Joint, mixes: readonly Float64Array[]): ModelOutcome[] =>
  mixes.map((mix, m) => {
    const { variants, rates } = joint.fleet.models[m]!;
    const found = joint.assignment(m, mix);
    if (found !== null) return { mix, ...found };
    return {
      mix,
      way: -1,
      served: new Float64Array(rates.length),
      assignment: new Float64Array(rates.length * variants.length),
    };
  });

/** What the share of a model's unserved demand is measured in: the demand of all models of its priority (req/s). */
const demandTotals = ({ models }: Fleet): number[] => {
  const own = models.map(({ rates }) => rates.reduce((sum, rate) => sum + rate, 0));
  return models.map(
    ({ priority }) => models.reduce((sum, other, m) => sum + (other.priority === priority ? own[m]! : 0), 0) || 1,
  );
};
