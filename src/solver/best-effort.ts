import type { Fleet } from './fleet.ts';
import type { Goal } from './goal.ts';
import { type Joint, negligible } from './joint.ts';
import { searchJointly } from './joint-search.ts';

/**
 * The most that can be served where not all demand can: by priority, the highest first, the most requests per second of
 * its models; then, with all of that served, at the least cost.
 *
 *   for each priority p, falling:  U_p = min sum over its models of unserved, the sums of higher priorities held at theirs
 *   last:                          min cost, every sum held
 *
 * Sums are shares of the priority's own demand and are held to within 1e-9 of it. Stopped at the node limit, a step hands
 * on the best that it has.
 */
export const bestEffort = (
  joint: Joint,
  levels: readonly Level[],
  nodeLimit: number,
): { readonly mixes: readonly Float64Array[]; readonly nodes: number } => {
  const { fleet } = joint;
  const prices = fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price));
  const groups: { models: readonly number[]; most: number }[] = [];
  const everything = fleet.models.map(() => 1);
  let mixes: readonly Float64Array[] = floors(fleet);
  let nodes = 0;
  const step = (goal: Goal): number => {
    const result = searchJointly(joint, goal, nodeLimit, mixes);
    nodes += result.nodes;
    mixes = result.mixes ?? mixes;
    return result.value;
  };
  for (const { models } of levels) {
    const least = step({
      replicas: prices.map(() => 0),
      unserved: fleet.models.map((_, m) => (models.includes(m) ? 1 : 0)),
      most: everything,
      groups,
      same: negligible / 10,
      ties: false,
    });
    groups.push({ models, most: Math.max(0, least) + negligible });
  }
  step({ replicas: prices, unserved: everything.map(() => 0), most: everything, groups, same: 0, ties: true });
  return { mixes, nodes };
};

/** Models of one priority. */
export interface Level {
  readonly models: readonly number[];
}

/** Highest priority first. */
export const levelsOf = (fleet: Fleet): readonly Level[] =>
  [...new Set(fleet.models.map(({ priority }) => priority))]
    .sort((a, b) => b - a)
    .map((priority) => ({
      models: fleet.models.flatMap((model, m) => (model.priority === priority ? [m] : [])),
    }));

const floors = (fleet: Fleet): Float64Array[] =>
  fleet.models.map(({ variants }) => Float64Array.from(variants, ({ lower }) => lower));
