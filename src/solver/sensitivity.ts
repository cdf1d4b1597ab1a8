import { servesAll } from '../vocabulary/planning-documents.ts';
import { type Fleet, type FleetModel, type FleetVariant, mixCost, poolUse, prepared } from './fleet.ts';
import type { SolveOptions } from './one-model.ts';
import { defaultOptions, type Outcome, solve } from './solve.ts';

/** What would be different if something else was. Savings are money/h against the cost of the outcome. */
export interface Sensitivity {
  /** Per pool that is short: the least number of GPUs more that would save anything, and what they would save. */
  readonly stock: readonly { readonly pool: number; readonly gpus: number; readonly saves: number }[];
  /** Bounds that cost something, the other models held: moved by one replica. */
  readonly bounds: readonly {
    readonly model: number;
    readonly variant: number;
    readonly bound: 'lower' | 'upper';
    readonly saves: number;
  }[];
  /** Per model the next best mix that does not hold all of this one, the other models held; null = there is none. */
  readonly runnersUp: readonly (Float64Array | null)[];
}

/** Savings below this share of the cost are rounding. */
const worthMentioning = 1e-9;

/** Answers of an optimal outcome; best effort has none. */
export const sensitivity = (given: Fleet, outcome: Outcome, options: SolveOptions = defaultOptions): Sensitivity => {
  const { fleet } = prepared(given);
  const cost = fleetCost(fleet, outcome);
  const left = stockLeft(fleet, outcome);
  const own = fleet.models.map((_, m) => alone(given, m, outcome, left));
  return {
    stock: moreStock(given, fleet, cost, options),
    bounds: own.flatMap((each, m) => looserBounds(each, m, outcome.models[m]!.mix, options)),
    runnersUp: own.map((each, m) => runnerUp(each, outcome.models[m]!.mix, options)),
  };
};

/** The cost where only some variants may grow above their floors; null where they do not carry the demand. */
export const costWithOnly = (
  fleet: Fleet,
  keeps: (variant: FleetVariant, model: number, variantIndex: number) => boolean,
  options: SolveOptions = defaultOptions,
): number | null => {
  const models = fleet.models.map((model, m) => ({
    ...model,
    previous: null,
    variants: model.variants.map((variant, g) => (keeps(variant, m, g) ? variant : { ...variant, upper: variant.lower })),
  }));
  const limited = { ...fleet, models };
  const outcome = solve(limited, options);
  return servesAll(outcome) ? fleetCost(limited, outcome) : null;
};

const fleetCost = (fleet: Fleet, { models }: Outcome): number =>
  models.reduce((sum, { mix }, m) => sum + mixCost(fleet.models[m]!, mix), 0);

const stockLeft = ({ models, stock }: Fleet, outcome: Outcome): number[] => {
  const left = [...stock];
  for (const [m, { mix }] of outcome.models.entries())
    for (const [pool, gpus] of poolUse(models[m]!, mix, stock.length).entries()) left[pool]! -= gpus;
  return left;
};

/**
 * Solves again with as many GPUs more of a pool as its largest replica takes; where that saves something, with fewer, down to the
 * least that still does: what more stock saves never falls as it grows.
 */
const moreStock = (given: Fleet, fleet: Fleet, cost: number, options: SolveOptions) =>
  fleet.stock.flatMap((_, pool) => {
    const takers = fleet.models.flatMap(({ variants }) => variants.filter((variant) => variant.pools.includes(pool)));
    const savedBy = (gpus: number): number => {
      const outcome = solve({ ...given, stock: given.stock.map((count, k) => (k === pool ? count + gpus : count)) }, options);
      const saves = servesAll(outcome) ? cost - fleetCost(fleet, outcome) : 0;
      return saves > worthMentioning * cost ? saves : 0;
    };
    let [few, enough] = [0, Math.max(0, ...takers.map(({ gpus }) => gpus))];
    let saves = enough === 0 ? 0 : savedBy(enough);
    if (saves === 0) return [];
    while (enough - few > 1) {
      const middle = Math.floor((few + enough) / 2);
      const saved = savedBy(middle);
      if (saved === 0) few = middle;
      else [enough, saves] = [middle, saved];
    }
    return [{ pool, gpus: enough, saves }];
  });

/** One model with the stock and the budget that the others leave it. */
const alone = (given: Fleet, m: number, outcome: Outcome, left: readonly number[]): Fleet => {
  const model = given.models[m]!;
  const own = poolUse(model, outcome.models[m]!.mix, given.stock.length);
  const others = given.models.reduce((sum, other, at) => sum + (at === m ? 0 : mixCost(other, outcome.models[at]!.mix)), 0);
  return { models: [model], stock: left.map((gpus, pool) => gpus + own[pool]!), budget: given.budget - others };
};

/** The cheapest mix of a fleet's only model with other bounds of one variant; null where they do not carry the demand. */
const withBound = (
  fleet: Fleet,
  g: number,
  moved: Partial<FleetVariant>,
  options: SolveOptions,
): { readonly mix: Float64Array; readonly cost: number } | null => {
  const [model] = fleet.models as [FleetModel];
  const variants = model.variants.map((variant, at) => (at === g ? { ...variant, ...moved } : variant));
  const outcome = solve({ ...fleet, models: [{ ...model, variants, previous: null }] }, options);
  if (!servesAll(outcome)) return null;
  const { mix } = outcome.models[0]!;
  return { mix, cost: mixCost(model, mix) };
};

const looserBounds = (fleet: Fleet, m: number, mix: Float64Array, options: SolveOptions): Sensitivity['bounds'] => {
  const [model] = fleet.models as [FleetModel];
  const before = mixCost(model, mix);
  return model.variants.flatMap((variant, g) => {
    // What is fixed is at both.
    const reached = [
      { bound: 'upper' as const, isReached: mix[g] === variant.upper, moved: { upper: variant.upper + 1 } },
      { bound: 'lower' as const, isReached: mix[g] === variant.lower && variant.lower > 0, moved: { lower: variant.lower - 1 } },
    ].filter(({ isReached }) => isReached);
    return reached.flatMap(({ bound, moved }) => {
      const solved = withBound(fleet, g, moved, options);
      const saves = solved === null ? 0 : before - solved.cost;
      return saves > worthMentioning * before ? [{ model: m, variant: g, bound, saves }] : [];
    });
  });
};

/**
 * Any other mix that does not hold all of this one has fewer of some type. So: the cheapest of the mixes with one fewer of one
 * type, for each in turn.
 */
const runnerUp = (fleet: Fleet, mix: Float64Array, options: SolveOptions): Float64Array | null => {
  let best: { readonly cost: number; readonly mix: Float64Array } | null = null;
  for (const [g, { lower }] of fleet.models[0]!.variants.entries()) {
    if (mix[g]! <= lower) continue;
    const solved = withBound(fleet, g, { upper: mix[g]! - 1 }, options);
    if (solved !== null && (best === null || solved.cost < best.cost)) best = solved;
  }
  return best?.mix ?? null;
};
