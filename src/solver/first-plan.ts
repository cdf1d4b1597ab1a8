import { type Fleet, type FleetModel, floorMixes, mixCost, poolUse, takes } from './fleet.ts';
import { type Level, requestsPerMoney } from './levels.ts';
import { withNowhere } from './nowhere.ts';
import { solveModel } from './one-model.ts';
import { lineScale, wholeReplicas } from './program.ts';
import { Relaxation } from './relaxation.ts';
import { lineTolerance, quotientTolerance, roundingTolerance } from './tolerances.ts';
import type { WorkBudget } from './work-budget.ts';

/** Rounds in which what could not be rounded up is given to other variants. */
const rounds = 4;
/** Of two ways that leave as much unserved, but for this (req/s), the cheaper one is better. */
const sameUnserved = 1e-9;
/** Nowhere costs so many times the dearest type, so that it is taken where nothing else may be. */
const lastResort = 1e6;
/** One replica of nowhere serves more than this (req/s), however little arrives. */
const leastUnit = 1e-9;

/**
 * A plan that takes next to no work: one model after the other, the highest priority first, within one the most
 * requests per money first. Each takes what its relaxation does of what the floors and the models before it leave,
 * whole; where a variant's replicas do not fit, its load goes to the others. It is within bounds, stock and budget, as
 * the floors are, and proves nothing.
 * @param floors what every model has in any case
 * @param poolPrices what a GPU of a pool counts beside the variants' prices
 */
export const firstPlan = (
  given: Fleet,
  levels: readonly Level[],
  work: WorkBudget,
  floors: readonly Float64Array[] = floorMixes(given),
  poolPrices: Float64Array | null = null,
): readonly Float64Array[] => {
  const fleet = withFloors(given, floors);
  const mixes = floorMixes(fleet);
  const left = [...fleet.stock];
  let money = fleet.budget;
  fleet.models.forEach((model, m) => {
    for (const [pool, gpus] of poolUse(model, mixes[m]!, left.length).entries()) left[pool]! -= gpus;
    money -= mixCost(model, mixes[m]!);
  });
  for (const { models } of levels) {
    const cheapness = models.map((m) => ({ m, value: requestsPerMoney(fleet.models[m]!) }));
    for (const { m } of cheapness.sort((a, b) => b.value - a.value || a.m - b.m)) {
      const model = fleet.models[m]!;
      mixes[m] = grown(model, poolPrices, left, money, work);
      const more = mixes[m]!.map((replicas, g) => replicas - model.variants[g]!.lower);
      for (const [pool, gpus] of poolUse(model, more, left.length).entries()) left[pool]! -= gpus;
      money -= mixCost(model, more);
    }
  }
  return mixes;
};

const withFloors = (fleet: Fleet, floors: readonly Float64Array[]): Fleet => ({
  ...fleet,
  models: fleet.models.map((model, m) => ({
    ...model,
    variants: model.variants.map((variant, g) => ({ ...variant, lower: floors[m]![g]! })),
  })),
});

/**
 * The last plan within today's bounds; where stock or budget do not hold it any more, models go back to their floors, those of
 * the lowest priority first. Null where no plan is known.
 */
export const lastMixes = (fleet: Fleet, levels: readonly Level[]): readonly Float64Array[] | null => {
  if (fleet.models.every(({ previous }) => previous === null)) return null;
  const floors = floorMixes(fleet);
  const mixes = fleet.models.map(({ previous, variants }, m) =>
    previous === null
      ? floors[m]!
      : Float64Array.from(variants, ({ lower, upper }, g) => Math.min(upper, Math.max(lower, previous[g]!))),
  );
  for (const m of levels.flatMap(({ models }) => models).reverse()) {
    if (withinLimits(fleet, mixes)) return mixes;
    mixes[m] = floors[m]!;
  }
  return mixes;
};

/** Whether mixes are within stock and budget. */
export const withinLimits = ({ models, stock, budget }: Fleet, mixes: readonly Float64Array[]): boolean => {
  const used = stock.map(() => 0);
  let cost = 0;
  mixes.forEach((mix, m) => {
    cost += mixCost(models[m]!, mix);
    for (const [pool, gpus] of poolUse(models[m]!, mix, stock.length).entries()) used[pool]! += gpus;
  });
  return used.every((gpus, pool) => gpus <= stock[pool]!) && cost <= budget * (1 + lineTolerance);
};

/** Nodes for each model's search among fewer replicas. */
const trimmingNodes = 30;

/**
 * Mixes without the replicas that they need not have: of each model that is served, the cheapest that is found with no
 * more of any type.
 */
export const trimmed = ({ models }: Fleet, mixes: readonly Float64Array[], work: WorkBudget): readonly Float64Array[] =>
  mixes.map((mix, m) => {
    const model = models[m]!;
    if (model.rates.length === 0 || work.spent) return mix;
    const variants = model.variants.map((variant, g) => ({ ...variant, upper: mix[g]! }));
    const fewer = solveModel({ ...model, variants, previous: [...mix] }, { nodeLimit: trimmingNodes, tieLimit: 0, work });
    return fewer.mix !== null && fewer.cost < mixCost(model, mix) ? fewer.mix : mix;
  });

/** The way that leaves least unserved, of those the cheapest. */
const grown = (
  model: FleetModel,
  poolPrices: Float64Array | null,
  left: readonly number[],
  money: number,
  work: WorkBudget,
): Float64Array => {
  let best = { mix: floorsOf(model), unserved: Number.POSITIVE_INFINITY, cost: 0 };
  if (model.rates.length === 0) return best.mix;
  for (const way of model.ways) {
    if (way.open.some((may, g) => may === 0 && model.variants[g]!.lower > 0)) continue;
    const { mix, unserved } = grownInWay({ ...model, ways: [way] }, poolPrices, left, money, work);
    const cost = mixCost(model, mix);
    if (unserved < best.unserved - sameUnserved || (unserved < best.unserved + sameUnserved && cost < best.cost))
      best = { mix, unserved, cost };
  }
  return best.mix;
};

const grownInWay = (
  model: FleetModel,
  poolPrices: Float64Array | null,
  left: readonly number[],
  money: number,
  work: WorkBudget,
): { readonly mix: Float64Array; readonly unserved: number } => {
  const { variants, rates, ways } = model;
  const types = variants.length;
  const demand = rates.reduce((sum, rate) => sum + rate, 0);
  const priced = variants.map((variant) =>
    takes(variant).reduce((sum, [pool, amount]) => sum + amount * (poolPrices?.[pool] ?? 0), variant.price),
  );
  const dearest = Math.max(...priced);
  const wide = withNowhere(model, lastResort * dearest, demand, Math.max(leastUnit, demand / 1e3));
  const upper = variants.map(({ lower, upper: most, price, ...variant }, g) => {
    const room = takes({ lower, upper: most, price, ...variant }).map(([pool, amount]) =>
      amount > 0 ? Math.floor(left[pool]! / amount) : Number.POSITIVE_INFINITY,
    );
    const affordable = Math.floor((money / price) * (1 + quotientTolerance));
    return ways[0]!.open[g] === 1 ? Math.min(most, lower + Math.max(0, Math.min(affordable, ...room))) : 0;
  });
  const relaxation = new Relaxation(
    {
      types: types + 1,
      classes: rates.length,
      loads: wide.ways[0]!.loads,
      prices: Float64Array.from([...priced, wide.variants[types]!.price]),
      lower: Float64Array.from(wide.variants, ({ lower }) => lower),
      upper: Float64Array.from([...upper, wide.variants[types]!.upper]),
      fluid: types,
    },
    wide.ways[0]!.loads.map((load) => load / lineScale),
    work,
  );
  let mix = floorsOf(model);
  for (let round = 0; round < rounds; round++) {
    if (relaxation.solve(Number.POSITIVE_INFINITY) !== 'optimal') break;
    const y = variants.map((_, g) => relaxation.replicas(g));
    mix = rounded(model, y, left, money);
    const cut = y.flatMap((need, g) => (mix[g]! < need * (1 - roundingTolerance) ? [g] : []));
    if (cut.length === 0) break;
    for (const g of cut) relaxation.upper[g] = mix[g]!;
    relaxation.restart();
  }
  relaxation.lower.set(mix);
  relaxation.upper.set(mix);
  relaxation.restart();
  relaxation.solve(Number.POSITIVE_INFINITY);
  return { mix, unserved: relaxation.replicas(types) };
};

const floorsOf = ({ variants }: FleetModel): Float64Array => Float64Array.from(variants, ({ lower }) => lower);

/** As many whole replicas as y needs, while there is room; the variants of most load first. */
const rounded = ({ variants }: FleetModel, y: readonly number[], left: readonly number[], money: number): Float64Array => {
  const mix = Float64Array.from(variants, ({ lower }) => lower);
  const stock = [...left];
  let rest = money;
  const order = y.map((need, g) => ({ need: need * variants[g]!.price, g })).sort((a, b) => b.need - a.need || a.g - b.g);
  const grow = (g: number, most: number): void => {
    const variant = variants[g]!;
    const drawn = takes(variant).filter(([, amount]) => amount > 0);
    const room = Math.min(
      most - mix[g]!,
      Math.floor((rest / variant.price) * (1 + quotientTolerance)),
      ...drawn.map(([pool, amount]) => Math.floor(stock[pool]! / amount)),
    );
    if (!(room > 0)) return;
    mix[g]! += room;
    rest -= room * variant.price;
    for (const [pool, amount] of drawn) stock[pool]! -= room * amount;
  };
  for (const { g } of order) grow(g, Math.floor(y[g]! * (1 + roundingTolerance)));
  for (const { g } of order) grow(g, Math.min(variants[g]!.upper, wholeReplicas(y[g]!)));
  return mix;
};
