import { servesAll } from '../vocabulary/planning-documents.ts';
import { type Fleet, type FleetModel, type FleetVariant, mixCost, poolUse, prepared } from './fleet.ts';
import { type SolveOptions, solveModel } from './one-model.ts';
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
  /** Per model the next best mix from which no replica can be taken, the other models held; null = there is none. */
  readonly runnersUp: readonly (Float64Array | null)[];
}

/** Savings below this share of the cost are rounding. */
const worthMentioning = 1e-9;

/** Answers of an optimal outcome; best effort has none. */
export const sensitivity = (given: Fleet, outcome: Outcome, options: SolveOptions = defaultOptions): Sensitivity => {
  const { fleet } = prepared(given);
  const cost = fleetCost(fleet, outcome);
  const left = stockLeft(fleet, outcome);
  return {
    stock: moreStock(given, fleet, cost, options),
    bounds: fleet.models.flatMap((_, m) => looserBounds(given, m, outcome.models[m]!.mix, left, options)),
    runnersUp: fleet.models.map((_, m) =>
      runnerUp(alone(given, m, outcome.models[m]!.mix, left), outcome.models[m]!.mix, options),
    ),
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
    known: null,
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

/** One model with the stock that the others leave it. */
const alone = (given: Fleet, m: number, mix: Float64Array, left: readonly number[]): FleetModel => {
  const model = given.models[m]!;
  const own = poolUse(model, mix, given.stock.length);
  const stock = left.map((gpus, pool) => gpus + own[pool]!);
  return prepared({ models: [model], stock, budget: given.budget }).fleet.models[0]!;
};

const looserBounds = (
  given: Fleet,
  m: number,
  mix: Float64Array,
  left: readonly number[],
  options: SolveOptions,
): Sensitivity['bounds'] => {
  const before = mixCost(given.models[m]!, mix);
  return given.models[m]!.variants.flatMap((variant, g) => {
    const bound = mix[g] === variant.upper ? 'upper' : mix[g] === variant.lower && variant.lower > 0 ? 'lower' : null;
    if (bound === null) return [];
    const moved = bound === 'upper' ? { upper: variant.upper + 1 } : { lower: variant.lower - 1 };
    const models = given.models.map((model, other) =>
      other === m ? { ...model, variants: model.variants.map((each, at) => (at === g ? { ...each, ...moved } : each)) } : model,
    );
    const solved = solveModel(alone({ ...given, models }, m, mix, left), options);
    const saves = before - solved.cost;
    return solved.mix !== null && saves > worthMentioning * before ? [{ model: m, variant: g, bound, saves }] : [];
  });
};

/**
 * Any other mix from which no replica can be taken has fewer of some type. So: the cheapest of the mixes with one fewer of
 * one type, for each in turn.
 */
const runnerUp = (model: FleetModel, mix: Float64Array, options: SolveOptions): Float64Array | null => {
  let best: { cost: number; mix: Float64Array } | null = null;
  for (const [g, { lower }] of model.variants.entries()) {
    if (mix[g]! <= lower) continue;
    const variants = model.variants.map((variant, at) => (at === g ? { ...variant, upper: mix[g]! - 1 } : variant));
    const solved = solveModel({ ...model, variants, known: null }, options);
    if (solved.mix !== null && (best === null || solved.cost < best.cost)) best = { cost: solved.cost, mix: solved.mix };
  }
  return best?.mix ?? null;
};
