import type { Cut } from './capacity-cuts.ts';
import { DenseSimplex } from './dense-simplex.ts';
import { type Joint, negligible } from './joint.ts';
import { spendable } from './program.ts';

/**
 * What is minimised over all models' replicas y and the share u of the demand that each model leaves unserved, and what
 * else must hold.
 */
export interface Goal {
  /** Weight of a replica of each variant (models one after the other), and of each model's unserved share. */
  readonly replicas: readonly number[];
  readonly unserved: readonly number[];
  /** Most unserved share per model, and per group of models. */
  readonly most: readonly number[];
  readonly groups: readonly { readonly models: readonly number[]; readonly most: number }[];
  /** Values this close are the same (absolute). */
  readonly same: number;
  /** Whether mixes of the same value are told apart by preference. */
  readonly ties: boolean;
}

/** The goal's value of whole mixes; null where a limit is broken or the value is above a ceiling. */
export const goalValue = (joint: Joint, goal: Goal, mixes: readonly Float64Array[], ceiling: number): number | null => {
  const { models, stock, budget } = joint.fleet;
  let [value, cost] = [0, 0];
  const used = stock.map(() => 0);
  mixes.forEach((mix, m) => {
    models[m]!.variants.forEach(({ price, pools, gpus }, g) => {
      cost += price * mix[g]!;
      value += goal.replicas[joint.first(m) + g]! * mix[g]!;
      for (const pool of pools) used[pool]! += gpus * mix[g]!;
    });
  });
  if (used.some((gpus, pool) => gpus > stock[pool]!) || cost > spendable(budget)) return null;
  if (value > ceiling) return null;
  const shares: number[] = [];
  for (let m = 0; m < mixes.length; m++) {
    const best = joint.bestWay(m, mixes[m]!);
    const share = best === null ? 1 : best.service.unserved / joint.totals[m]!;
    const all = best?.service.served.every((part) => part === 1) ?? false;
    if (goal.most[m] === 0 ? !all && models[m]!.rates.length > 0 : share > goal.most[m]! + 2 * negligible) return null;
    shares.push(share);
    value += goal.unserved[m]! * share;
  }
  for (const group of goal.groups)
    if (group.models.reduce((sum, m) => sum + shares[m]!, 0) > group.most + 2 * negligible) return null;
  return value;
};

/** Slopes below this share of a cut's steepest are left out of it, at the expense of its right side. */
const negligibleSlope = 1e-9;

/**
 * The linear program of joint-search.ts for one choice of ways: variables are all replicas, then the unserved share of each
 * model; rows are stock and budget (J2), the goal's groups (J3) and the cuts known so far (J1).
 */
export const jointProgram = (
  joint: Joint,
  goal: Goal,
  ways: readonly number[],
  lower: readonly number[],
  upper: readonly number[],
): DenseSimplex => {
  const { models, stock, budget } = joint.fleet;
  const none = models.map(() => 0);
  const simplex = new DenseSimplex(
    [...goal.replicas, ...goal.unserved],
    [...lower, ...none],
    [...upper, ...goal.most],
    joint.work,
  );
  const variants = models.flatMap((model) => model.variants);
  const atMost = (row: readonly number[], most: number) => simplex.addRow(row, Number.NEGATIVE_INFINITY, most);
  stock.forEach((gpus, pool) => {
    const row = variants.map((variant) => (variant.pools.includes(pool) ? variant.gpus : 0));
    if (row.some((use) => use > 0)) atMost([...row, ...none], gpus);
  });
  if (budget < Number.POSITIVE_INFINITY) {
    const scale = Math.max(1, budget);
    atMost([...variants.map(({ price }) => price / scale), ...none], budget / scale);
  }
  for (const { models: group, most } of goal.groups)
    atMost([...variants.map(() => 0), ...models.map((_, m) => (group.includes(m) ? 1 : 0))], most);
  ways.forEach((way, m) => {
    for (const cut of joint.known(m, way)) addCut(simplex, joint, m, cut);
  });
  return simplex;
};

/** share_m + sum_g slope_g y_g / (weight total) >= constant / (weight total). */
export const addCut = (simplex: DenseSimplex, joint: Joint, m: number, { constant, slopes, weight }: Cut): void => {
  const total = weight * joint.totals[m]!;
  const row = new Array<number>(joint.variants + joint.fleet.models.length).fill(0);
  let right = constant / total;
  const steepest = Math.max(...slopes);
  slopes.forEach((slope, g) => {
    if (slope > negligibleSlope * steepest) row[joint.first(m) + g] = slope / total;
    else right -= (slope / total) * joint.fleet.models[m]!.variants[g]!.upper;
  });
  row[joint.variants + m] = 1;
  simplex.addRow(row, right, Number.POSITIVE_INFINITY);
};

/** Fractions of a right side that are too near to 0 or 1 to make a cut that holds up against rounding. */
const clearFraction = 0.02;

/**
 * What a cut says of whole replicas alone (mixed-integer rounding): with z_g = y_g - lower_g >= 0 whole, u >= 0, and any d > 0,
 *
 *   sum_g a_g z_g + u >= b   =>   sum_g G(a_g / d) z_g + u / (d f) >= ceil(b / d),   f = b / d - floor(b / d),
 *   G(a) = floor(a) + min(1, (a - floor(a)) / f)
 *
 * A variable near its upper bound is counted from there, z_g = upper_g - y_g. Of types that are alike it makes "so many
 * replicas in all", which no bound of a single type does. Returns the one that v violates most for some d among the slopes;
 * null = none does. With 1 y_A + 1.01 y_B >= 2.5 and d = 1.01: f = 0.475, G(0.99) = 1, so y_A + y_B >= 3.
 */
export const roundedCut = (
  { constant, slopes }: Cut,
  y: ArrayLike<number>,
  unserved: number,
  lower: ArrayLike<number>,
  upper: ArrayLike<number>,
): Cut | null => {
  const types = slopes.length;
  const flipped = Array.from({ length: types }, (_, g) => upper[g]! - y[g]! < y[g]! - lower[g]! && upper[g]! < mostFlipped);
  let right = constant;
  for (let g = 0; g < types; g++) right -= slopes[g]! * (flipped[g] ? upper[g]! : lower[g]!);
  let best: Cut | null = null;
  let worst = leastViolation;
  const divisors = new Set<number>();
  for (let g = 0; g < types; g++)
    if (slopes[g]! > 0 && y[g]! > lower[g]! + offBound && y[g]! < upper[g]! - offBound)
      for (const part of [1, 2, 4]) divisors.add(slopes[g]! / part);
  for (const d of divisors) {
    const f = right / d - Math.floor(right / d);
    if (f < clearFraction || f > 1 - clearFraction) continue;
    const rounded = (a: number): number => Math.floor(a) + Math.min(1, (a - Math.floor(a)) / f);
    const coefficients = slopes.map((slope, g) => (flipped[g] ? -rounded(-slope / d) : rounded(slope / d)));
    let needs = Math.ceil(right / d);
    for (let g = 0; g < types; g++) needs += coefficients[g]! * (flipped[g] ? upper[g]! : lower[g]!);
    let has = unserved / (d * f);
    let norm = 0;
    for (let g = 0; g < types; g++) {
      has += coefficients[g]! * y[g]!;
      norm += coefficients[g]! ** 2;
    }
    const violation = (needs - has) / Math.sqrt(norm);
    if (violation > worst) [best, worst] = [{ constant: needs, slopes: coefficients, weight: 1 / (d * f) }, violation];
  }
  return best;
};

/** An upper bound that is hardly ever met says nothing. */
const mostFlipped = 1e4;
/** y this far from its bounds (replicas) lies between them, and not at one by what the simplex leaves. */
const offBound = 1e-6;
/** By how much a rounded cut must be violated to be worth its row (distance, replicas). */
const leastViolation = 1e-3;
