import { bestEffort, bestOf, inTurn, type MostServed } from './best-effort.ts';
import { exchanged } from './exchanges.ts';
import { firstPlan, lastMixes, trimmed, withinLimits } from './first-plan.ts';
import { type Fleet, mixCost, prepared, withBudgetAsPool } from './fleet.ts';
import { Joint } from './joint.ts';
import { type Level, levelsOf } from './levels.ts';
import { commonUnit, partOf, type SearchOptions, type SolveOptions, solveModel } from './one-model.ts';
import { type ServedTogether, servedTogether } from './served-together.ts';
import { SharedStock } from './shared-stock.ts';
import { boundlessWork, WorkBudget } from './work-budget.ts';

/** Every realistic instance is proven within these limits; the search for any other ends at them. */
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
  /** Units of work that it took (work-budget.ts). */
  readonly work: number;
}

/**
 * Which method runs when; each file states its own program.
 *
 * 1. one-model solves each model by itself. Two types are solved by two-types. More types are solved by branch, type by type,
 *    over the bound of relaxation (with price-forest, forest-shares and long-step). Types that are alike are solved by by-number,
 *    over number-bounds and capacity-cuts.
 * 2. shared-stock solves all models by prices for the common stock, where the mixes of step 1 do not fit it. pool-prices finds
 *    the prices. priced-model and enumeration list the mixes worth having. first-choice, choice and repair pick one of each model
 *    so that they fit together. neighbourhoods finds better ones.
 * 3. served-together does the same with unserved demand at a price, where no such choice serves all (nowhere, least-unserved).
 * 4. best-effort serves by priority (levels), where not all can be served. joint-search proves small fleets over joint-program, a
 *    linear program for dense-simplex. exchanges improves large fleets.
 *
 * All of them start from first-plan and end with work-budget. sensitivity solves again, to say what more would save.
 */

/**
 * The cheapest mixes that carry all demand of a fleet, within its bounds, stock and budget. There is a plan whatever stops the
 * search, and it serves all if the search has met one that does.
 */
export const solve = (given: Fleet, options: SolveOptions = defaultOptions): Outcome => {
  const { fleet, floorsFit } = prepared(given);
  const work = new WorkBudget(options.workLimit ?? Number.POSITIVE_INFINITY);
  const searching: SearchOptions = { ...options, work };
  const solved = floorsFit ? solveAll(fleet, searching) : none;
  const { mixes, status, bound, nodes } = solved;
  if (mixes !== null && withinLimits(fleet, mixes))
    return {
      status: status === 'optimal' ? status : 'feasible',
      bound,
      servable: null,
      nodes,
      models: solved.models ?? assigned(new Joint(fleet, demandTotals(fleet)), mixes),
      work: work.used,
    };
  if (options.allOrNothing === true && floorsFit && status === 'infeasible') return nothing(fleet, nodes, work.used);
  const joint = new Joint(fleet, demandTotals(fleet), work);
  const most = mostServed(fleet, joint, searching, solved.most);
  const models = assigned(joint, most.mixes);
  const searched = { nodes: nodes + most.nodes, models, work: work.used };
  return floorsFit && models.every(({ served }) => served.every((share) => share === 1))
    ? { ...searched, status: 'feasible', bound: Math.min(bound, fleetCost(fleet, most.mixes)), servable: null }
    : { ...searched, status: 'infeasible', bound: null, servable: most.maybeServable };
};

/** The floors, with nothing served: the answer where it is proven that not all can be served, and nobody asks for more. */
const nothing = ({ models }: Fleet, nodes: number, work: number): Outcome => ({
  status: 'infeasible',
  bound: null,
  servable: models.reduce((sum, { rates }) => sum + rates.reduce((part, rate) => part + rate, 0), 0),
  models: models.map(({ variants, rates }) => ({
    mix: Float64Array.from(variants, ({ lower }) => lower),
    assignment: new Float64Array(variants.length * rates.length),
    served: new Float64Array(rates.length),
    way: -1,
  })),
  nodes,
  work,
});

/** Variants of all models, above which a node of the joint search is dear. */
const manyVariants = 100;
/**
 * Shares of the work left: for each model by itself, for all models on common stock, and for what they can serve of it at all,
 * where that is asked for a start.
 */
const [aloneShare, stockShare, togetherShare] = [0.3, 0.6, 0.6];
/** The same for the most that can be served where not all can be, of a large fleet and of a small one. */
const [largeShare, smallShare] = [0.7, 0.5];
const exchangeShare = 0.7;
const trimmingShare = 0.1;

/** Models on common stock by its prices first; then by the joint search, which proves what is small. */
const mostServed = (fleet: Fleet, joint: Joint, options: SearchOptions, seen: ServedTogether | null): MostServed => {
  const levels = levelsOf(fleet);
  const unit = commonUnit(fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)));
  const pooled = withBudgetAsPool(fleet, unit);
  const starts = startMixes(fleet, joint.work);
  if (!sharesStock(pooled)) {
    const turns = fleet.models.length > 1 ? [inTurn(joint, levels, options.nodeLimit), ...starts] : [];
    return bestEffort(joint, levels, options.nodeLimit, turns);
  }
  // On a large fleet the joint search proves nothing that the prices have not; it is asked for what is near.
  const large = joint.variants > manyVariants;
  const reusable = levels.length === 1 && pooled === fleet ? seen : null;
  const unfinished = reusable !== null && reusable.maybeServable > 0 && joint.work.left < Number.POSITIVE_INFINITY;
  const together =
    reusable !== null && !unfinished
      ? { ...reusable, nodes: 0 }
      : servedTogether(pooled, levels, { ...options, ...partOf(options.work, large ? largeShare : smallShare) }, [
          ...(reusable === null ? [] : [reusable.mixes]),
          ...starts,
        ]);
  const filled = [together.mixes, ...(reusable === null ? [] : [reusable.mixes]), ...starts].map((mixes) =>
    firstPlan(fleet, levels, joint.work, mixes),
  );
  const best = bestOf(joint, levels, [together.mixes, ...filled]) ?? together.mixes;
  const more = exchanged(joint, levels, best, joint.work.part(exchangeShare));
  const limit = large ? options.nodeLimit / 20 : options.nodeLimit;
  const searched = bestEffort(joint, levels, limit, [best, more], together.leastUnserved);
  return { ...searched, nodes: together.nodes + searched.nodes };
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

/** Mixes within bounds, stock and budget that take next to no work: the last plan with what it lacks today, and a first one. */
const startMixes = (fleet: Fleet, work: WorkBudget): readonly (readonly Float64Array[])[] => {
  const levels = levelsOf(fleet);
  const last = lastMixes(fleet, levels);
  const first = firstPlan(fleet, levels, work);
  const starts = last === null ? [first] : [firstPlan(fleet, levels, work, last), first];
  return starts.map((mixes) => trimmed(fleet, mixes, work.part(trimmingShare)));
};

const none: Solved = { status: 'infeasible', mixes: null, models: null, most: null, bound: 0, nodes: 0 };

/**
 * Every model by itself, as if stock held for each alone: the answer where they fit together, else all at once. The budget
 * waits: where the least cost is above it, it does not suffice.
 */
const solveAll = (fleet: Fleet, options: SearchOptions): Solved => {
  const { work } = options;
  const part = (share: number): SearchOptions => ({ ...options, ...partOf(work, share) });
  const shared = sharesStock(fleet) ? new SharedStock(fleet, part(stockShare)) : null;
  let nodes = 0;
  if (shared === null || shared.fitsRelaxed()) {
    const alone = separately(fleet, shared === null ? options : part(aloneShare));
    if (alone.mixes === null || withinLimits({ ...fleet, budget: Number.POSITIVE_INFINITY }, alone.mixes)) return alone;
    nodes = alone.nodes;
  }
  let most: ServedTogether | null = null;
  const serving = () => startMixes(fleet, work ?? boundlessWork).filter((mixes) => servesEverything(fleet, mixes));
  const everyone = [{ models: fleet.models.map((_, m) => m) }];
  const together = (shared ?? new SharedStock(fleet, part(stockShare))).run(serving, () => {
    most = servedTogether(fleet, everyone, part(togetherShare), startMixes(fleet, work ?? boundlessWork));
    nodes += most.nodes;
    return servesEverything(fleet, most.mixes) ? most.mixes : null;
  });
  const found = { ...together, models: null, most, nodes: nodes + together.nodes };
  return most === null && isPoor(fleet, found) && (work?.left ?? 0) < Number.POSITIVE_INFINITY
    ? improvedByNowhere(fleet, found, everyone, part(togetherShare))
    : found;
};

/** A gap (share of the cost) that is worth what is left of limited work. */
const poorGap = 1e-3;

const isPoor = (fleet: Fleet, { status, mixes, bound }: Solved): boolean =>
  status === 'feasible' && mixes !== null && bound < fleetCost(fleet, mixes) * (1 - poorGap);

/** A plan that serves all, made cheaper by the search for what can be served, which looks at it in another way. */
const improvedByNowhere = (fleet: Fleet, found: Solved, levels: readonly Level[], options: SearchOptions): Solved => {
  const { mixes, nodes } = servedTogether(fleet, levels, options, [found.mixes!]);
  const better = fleetCost(fleet, mixes) < fleetCost(fleet, found.mixes!) && withinLimits(fleet, mixes);
  return { ...found, nodes: found.nodes + nodes, mixes: better && servesEverything(fleet, mixes) ? mixes : found.mixes };
};

const servesEverything = (fleet: Fleet, mixes: readonly Float64Array[]): boolean =>
  assigned(new Joint(fleet, demandTotals(fleet)), mixes).every(({ served }) => served.every((share) => share === 1));

/** Whether some pool has several takers: with one, the stock is a bound like any other. */
const sharesStock = ({ models, stock }: Fleet): boolean =>
  stock.some(
    (_, pool) => models.reduce((sum, { variants }) => sum + variants.filter(({ pools }) => pools.includes(pool)).length, 0) > 1,
  );

const separately = (fleet: Fleet, options: SearchOptions): Solved => {
  let [bound, nodes] = [0, 0];
  let status = 'optimal' as Solved['status'];
  const models: ModelOutcome[] = [];
  for (const [m, model] of fleet.models.entries()) {
    const alone = solveModel(model, { ...options, ...partOf(options.work, 1 / (fleet.models.length - m)) });
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
