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
