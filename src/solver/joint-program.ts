import type { Cut } from './capacity-cuts.ts';
import { DenseSimplex } from './dense-simplex.ts';
import { type Joint, negligible } from './joint.ts';

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
  if (used.some((gpus, pool) => gpus > stock[pool]!) || cost > budget * (1 + 1e-9)) return null;
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
  const simplex = new DenseSimplex([...goal.replicas, ...goal.unserved], [...lower, ...none], [...upper, ...goal.most]);
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

/** share_m + sum_g slope_g y_g / total >= constant / total. */
export const addCut = (simplex: DenseSimplex, joint: Joint, m: number, { constant, slopes }: Cut): void => {
  const total = joint.totals[m]!;
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
