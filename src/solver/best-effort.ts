import { floorMixes, mixCost, poolUse } from './fleet.ts';
import { Joint, negligible } from './joint.ts';
import type { Goal } from './joint-program.ts';
import { type JointResult, searchJointly } from './joint-search.ts';
import { type Level, requestsPerMoney } from './levels.ts';

/**
 * The most that can be served where not all demand can: by priority, the highest first, the most requests per second of
 * its models; then, with all of that served, at the least cost.
 *
 *   for each priority p, falling:  U_p = min sum over its models of unserved, the sums of higher priorities held at theirs
 *   last:                          min cost, every sum held
 *
 * Sums are shares of the priority's own demand and are held to within 1e-9 of it. The search starts from the best of some
 * mixes; stopped early, a step hands on the best that it has.
 * @param starts mixes within bounds, stock and budget
 * @param leastUnserved what is known already of what each priority leaves unserved at the least (req/s)
 */
export const bestEffort = (
  joint: Joint,
  levels: readonly Level[],
  nodeLimit: number,
  starts: readonly (readonly Float64Array[])[] = [],
  leastUnserved: readonly number[] = [],
): MostServed => {
  const { fleet } = joint;
  const prices = fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price));
  const groups: { models: readonly number[]; most: number }[] = [];
  const everything = fleet.models.map(() => 1);
  let nodes = 0;
  let mixes = bestOf(joint, levels, starts) ?? floorMixes(fleet);
  let maybeServable = 0;
  const step = (goal: Goal): JointResult => {
    const result = searchJointly(joint, goal, nodeLimit, mixes);
    nodes += result.nodes;
    mixes = result.mixes ?? mixes;
    return result;
  };
  for (const [l, { models }] of levels.entries()) {
    const { value, bound } = step({
      replicas: prices.map(() => 0),
      unserved: fleet.models.map((_, m) => (models.includes(m) ? 1 : 0)),
      most: everything,
      groups,
      same: negligible / 10,
      ties: false,
    });
    const total = joint.totals[models[0]!]!;
    const least = Math.max(0, bound, (leastUnserved[l] ?? 0) / total);
    if (value - least > negligible) maybeServable += (value - least) * total;
    groups.push({ models, most: Math.max(0, value) + negligible });
  }
  step({ replicas: prices, unserved: everything.map(() => 0), most: everything, groups, same: 0, ties: true });
  return { mixes, nodes, maybeServable };
};

export interface MostServed {
  readonly mixes: readonly Float64Array[];
  readonly nodes: number;
  /** req/s that may be servable beyond what these mixes serve. */
  readonly maybeServable: number;
}

/** Those of some mixes that serve the most, by priority, and of those the cheapest; null where there are none. */
export const bestOf = (
  joint: Joint,
  levels: readonly Level[],
  starts: readonly (readonly Float64Array[])[],
): readonly Float64Array[] | null => {
  const { models } = joint.fleet;
  const valued = starts.map((mixes) => ({
    mixes,
    values: [
      ...levels.map((level) => level.models.reduce((sum, m) => sum + joint.unserved(m, mixes[m]!) / joint.totals[m]!, 0)),
      mixes.reduce((sum, mix, m) => sum + mixCost(models[m]!, mix), 0),
    ],
  }));
  return valued.length === 0 ? null : valued.reduce((best, other) => (isLess(other.values, best.values) ? other : best)).mixes;
};

const isLess = (a: readonly number[], b: readonly number[]): boolean => {
  const at = a.findIndex((value, i) => Math.abs(value - b[i]!) > negligible * Math.max(1, Math.abs(b[i]!)));
  return at >= 0 && a[at]! < b[at]!;
};

/**
 * One model after the other, each given the most that the others' floors and those before it leave: highest priority first,
 * within one the most requests per money first.
 */
export const inTurn = (joint: Joint, levels: readonly Level[], nodeLimit: number): readonly Float64Array[] => {
  const { fleet } = joint;
  const mixes = floorMixes(fleet);
  let waiting = fleet.models.length;
  const left = [...fleet.stock];
  let budget = fleet.budget;
  const take = (m: number, mix: Float64Array, sign: 1 | -1) => {
    const model = fleet.models[m]!;
    for (const [pool, gpus] of poolUse(model, mix, left.length).entries()) left[pool]! -= sign * gpus;
    budget -= sign * mixCost(model, mix);
  };
  mixes.forEach((mix, m) => {
    take(m, mix, 1);
  });
  for (const { models } of levels) {
    const cheapness = models.map((m) => ({ m, value: requestsPerMoney(fleet.models[m]!) }));
    for (const { m } of cheapness.sort((a, b) => b.value - a.value || a.m - b.m)) {
      const work = joint.work.part(1 / (2 + waiting--));
      take(m, mixes[m]!, -1);
      const single = new Joint({ models: [fleet.models[m]!], stock: left, budget }, [joint.totals[m]!], work);
      mixes[m] = bestEffort(single, [{ models: [0] }], nodeLimit / fleet.models.length).mixes[0]!;
      take(m, mixes[m]!, 1);
    }
  }
  return mixes;
};
