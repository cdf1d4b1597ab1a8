import type { Cut } from './capacity-cuts.ts';
import { DenseSimplex } from './dense-simplex.ts';
import type { Goal } from './goal.ts';
import type { Joint } from './joint.ts';

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
