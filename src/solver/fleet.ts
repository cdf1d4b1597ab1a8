import { fullLoads, spendable } from './program.ts';
import { roundingTolerance } from './tolerances.ts';

/**
 * One way in which a router can spread a model's classes: one program. A router that knows sizes has one way; one that knows
 * the `load` or nothing (`none`) has one for each variant as the slowest in use, and the cheapest way counts.
 */
export interface Way {
  /** Replicas' worth of work of a whole class on a variant, class x variant, row-major; Infinity = may not go there. */
  readonly loads: Float64Array;
  /** 1 where a variant may run in this way at all, 0 where its y is 0. */
  readonly open: Uint8Array;
}

export interface FleetVariant {
  /** Of one replica (money/h). */
  readonly price: number;
  readonly lower: number;
  readonly upper: number;
  /** Indices into the stock, none where nothing limits its GPUs, and how many GPUs a replica takes of each of them. */
  readonly pools: readonly number[];
  readonly gpus: number;
  /** What a replica takes of each of its pools, where that is not `gpus` of each. */
  readonly amounts?: readonly number[];
  /** Replicas today; null = not known. */
  readonly running: number | null;
}

/** A model with its variants in order of name. */
export interface FleetModel {
  readonly priority: number;
  /** req/s of every class, all above 0. */
  readonly rates: Float64Array;
  readonly variants: readonly FleetVariant[];
  readonly ways: readonly Way[];
  /** Replicas per variant to start the search from; null = none. */
  readonly previous: readonly number[] | null;
  /** A variant that is no machine and need not be whole: what is not served. Absent = all is to be served. */
  readonly fluid?: number;
}

/** Several models in order of name, on common stock and budget. */
export interface Fleet {
  readonly models: readonly FleetModel[];
  /** GPUs per pool: those of one type, or those that a namespace may have. */
  readonly stock: readonly number[];
  /** Money/h; Infinity = no limit. */
  readonly budget: number;
}

/**
 * The fleet with what follows from it: no price is 0, floors come before stock and budget, no variant has more replicas than
 * the whole demand could use or the stock of its type could hold, and no stock has GPUs that no number of replicas uses up.
 * `floorsFit` says whether the floors do fit.
 */
export const prepared = (fleet: Fleet): { readonly fleet: Fleet; readonly floorsFit: boolean } => {
  const floors = fleet.stock.map((_, pool) => total(fleet, (variant) => (variant.pools.includes(pool) ? variant.gpus : 0)));
  const floorCost = total(fleet, (variant) => variant.price);
  const stock = fleet.stock.map((gpus, pool) => {
    const step = packet(fleet, pool);
    return Math.max(Math.floor(gpus / step) * step, floors[pool]!);
  });
  const free = tinyPrice(fleet);
  const models = fleet.models.map((model) => {
    const useful = usefulReplicas(model);
    const variants = model.variants.map((variant, g) => {
      const gpusLeft = variant.pools.map((pool) => stock[pool]! - floors[pool]!);
      const spare = variant.gpus === 0 ? Number.POSITIVE_INFINITY : Math.floor(Math.min(...gpusLeft) / variant.gpus);
      const upper = Math.min(variant.upper, Math.max(variant.lower, useful[g]!), variant.lower + spare);
      return { ...variant, price: Math.max(variant.price, free), upper };
    });
    return { ...model, variants };
  });
  return {
    fleet: { models, stock, budget: Math.max(fleet.budget, floorCost) },
    floorsFit: floors.every((gpus, pool) => gpus <= fleet.stock[pool]!) && floorCost <= spendable(fleet.budget),
  };
};

/** GPUs of a pool are taken in multiples of this: what is left of the stock beyond it cannot be used. */
const packet = ({ models }: Fleet, pool: number): number => {
  let step = 0;
  for (const { variants } of models)
    for (const variant of variants) {
      let rest = variant.pools.includes(pool) ? variant.gpus : 0;
      while (rest !== 0) [step, rest] = [rest, step % rest];
    }
  return Math.max(1, step);
};

const total = (fleet: Fleet, each: (variant: FleetVariant) => number): number =>
  fleet.models.reduce(
    (sum, { variants }) => sum + variants.reduce((part, variant) => part + variant.lower * each(variant), 0),
    0,
  );

/** A million of them are still less than what two costs may differ by. */
const trifle = 1e-12;

/** A replica that costs nothing still counts a trifle, so that there are not more of them than needed. */
const tinyPrice = (fleet: Fleet): number => {
  const dearest = Math.max(0, ...fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)));
  return dearest === 0 ? 1 : dearest * trifle;
};

/** Most replicas of each variant that its share of the demand could ever use, over all ways. */
const usefulReplicas = ({ variants, rates, ways }: FleetModel): number[] => {
  const types = variants.length;
  const useful = new Array<number>(types).fill(0);
  for (const { loads, open } of ways) {
    const bounds = new Float64Array(types);
    const full = fullLoads({ types, classes: rates.length, loads, prices: bounds, lower: bounds, upper: bounds });
    for (let g = 0; g < types; g++) if (open[g] === 1) useful[g] = Math.max(useful[g]!, Math.ceil(full[g]!));
  }
  return useful;
};

/** Pools that a replica draws on, and how much it takes of each. */
export const takes = ({ pools, gpus, amounts }: FleetVariant): readonly (readonly [pool: number, amount: number])[] =>
  pools.map((pool, at) => [pool, amounts?.[at] ?? gpus]);

/** Units of a budget whose prices have no common one, and by how much of a unit a quotient may round. */
const [unitsOfBudget, unitRounding] = [1e6, 1e-6];

/**
 * The same fleet with its budget as one pool more, which each replica draws on by its price: in whole units, rounded so that
 * what fits there fits the budget.
 */
export const withBudgetAsPool = (fleet: Fleet, unit: number): Fleet => {
  if (fleet.budget === Number.POSITIVE_INFINITY) return fleet;
  const money = unit > 0 ? unit : fleet.budget / unitsOfBudget;
  return {
    stock: [...fleet.stock, Math.floor(fleet.budget / money + unitRounding)],
    budget: Number.POSITIVE_INFINITY,
    models: fleet.models.map((model) => ({
      ...model,
      variants: model.variants.map((variant) => ({
        ...variant,
        pools: [...variant.pools, fleet.stock.length],
        amounts: [...variant.pools.map(() => variant.gpus), Math.ceil(variant.price / money - unitRounding)],
      })),
    })),
  };
};

/** GPUs of each pool that a mix of one model takes. */
export const poolUse = ({ variants }: FleetModel, mix: ArrayLike<number>, pools: number): number[] => {
  const use = new Array<number>(pools).fill(0);
  variants.forEach((variant, g) => {
    for (const [pool, amount] of takes(variant)) use[pool]! += amount * mix[g]!;
  });
  return use;
};

export const mixCost = ({ variants }: FleetModel, mix: ArrayLike<number>): number =>
  variants.reduce((sum, { price }, g) => sum + price * mix[g]!, 0);

/** Replicas that a mix starts or stops, where it is known what runs. */
export const changes = ({ variants }: FleetModel, mix: ArrayLike<number>): number =>
  variants.reduce((sum, { running }, g) => sum + (running === null ? 0 : Math.abs(mix[g]! - running)), 0);

/**
 * Order of mixes of the same cost: fewer changes first, then more replicas of the variant whose name comes first.
 * Negative where `a` is preferred. Lists hold one mix per model.
 */
export const preference = (
  models: readonly FleetModel[],
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
): number => {
  let difference = 0;
  models.forEach((model, m) => {
    difference += changes(model, a[m]!) - changes(model, b[m]!);
  });
  if (difference !== 0) return difference;
  for (let m = 0; m < models.length; m++)
    for (let g = 0; g < models[m]!.variants.length; g++) if (a[m]![g] !== b[m]![g]) return b[m]![g]! - a[m]![g]!;
  return 0;
};

/** Writes the mix that {@link preference} puts first of all between two bounds: what runs, as near as they let it. */
export const favourite = ({ variants }: FleetModel, lower: Float64Array, upper: Float64Array, mix: Float64Array): void => {
  variants.forEach(({ running }, g) => {
    mix[g] = running === null ? upper[g]! : Math.min(upper[g]!, Math.max(lower[g]!, running));
  });
};

/** Sets `upper` to 0 for the variants that a way does not use; false where a floor forbids that. */
export const closeUnusedVariants = ({ open }: Way, first: number, lower: readonly number[], upper: number[]): boolean =>
  open.every((may, g) => {
    if (may === 1) return true;
    upper[first + g] = 0;
    return lower[first + g] === 0;
  });

/** The mixes of all models at their floors. */
export const floorMixes = ({ models }: Fleet): Float64Array[] =>
  models.map(({ variants }) => Float64Array.from(variants, ({ lower }) => lower));

/** No mixes within the stock cost more: every pool sold out on its dearest variants, and every bound of the others reached. */
export const costCeiling = ({ models, stock }: Fleet): number => {
  const perGpu = stock.map(() => 0);
  let ceiling = 0;
  for (const { variants } of models)
    for (const variant of variants)
      if (variant.pools.length === 0) ceiling += variant.price * variant.upper;
      else
        for (const [pool, amount] of takes(variant))
          if (amount > 0) perGpu[pool] = Math.max(perGpu[pool]!, variant.price / amount);
  return perGpu.reduce((sum, price, k) => sum + price * stock[k]!, ceiling) * (1 + roundingTolerance);
};

/** Where all GPUs are free, steps are still taken in a price above 0 (money/h). */
const leastDearest = 1e-9;

/** Dearest price of one GPU of any variant (money/h). */
export const dearestGpu = ({ models }: Fleet): number =>
  Math.max(leastDearest, ...models.flatMap(({ variants }) => variants.map(({ price, gpus }) => price / Math.max(1, gpus))));
