import { lineTolerance, roundingTolerance, wholeTolerance } from './tolerances.ts';

/**
 * The integer program of one model: how many replicas of each variant ("type" below), and which share of each routing
 * class ("class") every type serves.
 *
 *   minimise   sum_g price_g y_g
 *   C1         sum_g x_cg = 1                        every class is served, split at will
 *   C2         sum_c load_cg x_cg <= y_g (1 + 1e-9)  no type carries more than its replicas can
 *   C3         lower_g <= y_g <= upper_g, y_g whole; x_cg >= 0
 *
 * Only y is branched on. For any prices pi_g >= 0 of one replica's capacity,
 *
 *   L(pi) = sum_c min_g pi_g load_cg + sum_g min over lower_g <= y <= upper_g of (price_g - pi_g) y
 *
 * is at most the cost of every feasible mix: the first sum is the least the classes pay for capacity at those prices,
 * the second what the types earn back by selling it.
 *
 * Worked example, two types and three classes: loads (replicas)
 *
 *             A (price 4)   B (price 1)
 *   short        0.2           0.6
 *   medium       0.5           2.5
 *   long         0.9           not within the SLO
 *
 * At pi = price = (4, 1) short is cheaper on B (0.6 against 0.8), medium on A (2.0 against 2.5), long on A (3.6):
 * L = 6.2, with y = (1.4, 0.6). Rounded up that costs 9. But A = 1 cannot be: long and 0.2 of medium fill it, B then needs
 * 0.6 + 2.0 = 2.6, so y = (1, 3) costs 7. And y = (2, 0) carries all (0.2 + 0.5 + 0.9 = 1.6) for 8. The optimum is 7:
 * prices pi = (5, 1), at which medium costs 2.5 on either type, give L = 0.6 + 2.5 + 4.5 - 1 x y_A; with y_A <= 1 that is
 * 6.6, so B is 2.6 and at least 3; with y_A >= 2 nothing is below 8.
 */
export interface Program {
  /** G, how many types, and C, how many classes. */
  readonly types: number;
  readonly classes: number;
  /** Replicas' worth of work of a whole class on a type, class x type, row-major; Infinity = may not go there. */
  readonly loads: Float64Array;
  /** Of one replica, above 0 (money/h), per type. */
  readonly prices: Float64Array;
  /** Least and most replicas per type; Infinity = no limit. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** A type whose y need not be whole, as it is no machine: what is not served. Absent = there is none. */
  readonly fluid?: number;
}

/** What may be spent of a budget: sums of prices round as loads do. */
export const spendable = (budget: number): number => budget * (1 + lineTolerance);

export const carries = (load: number, replicas: number): boolean => load <= replicas * (1 + lineTolerance);

/**
 * Fewest whole replicas that carry a load.
 * @example replicasFor(2.4) // => 3
 * @example replicasFor(2) // => 2
 * @example replicasFor(1e-12) // => 1
 */
export const replicasFor = (load: number): number => {
  const replicas = Math.ceil(load / (1 + lineTolerance));
  if (replicas > 0 && carries(load, replicas - 1)) return replicas - 1;
  return carries(load, replicas) ? replicas : replicas + 1;
};

/**
 * Inside the solver every load is divided by this, and a replica then carries exactly 1. A hundredth of the line is kept
 * back, so that what rounding adds to shares and sums stays inside the line.
 */
export const lineScale = 1 + 0.99 * lineTolerance;

/**
 * L(pi) of the comment above (money/h): a lower limit on the cost, whatever pi >= 0. `loads` are divided already. `likely`
 * names per class the type to look at first (below 0 = any): a right guess saves time. The result is the same.
 */
export const dualBound = (
  program: Omit<Program, 'classes'>,
  pi: Float64Array,
  classes: number = program.loads.length / program.types,
  likely: Int16Array | null = null,
): number => {
  const { types, loads, prices, lower, upper } = program;
  let bound = 0;
  for (let c = 0, at = 0; c < classes; c++) {
    const first = likely === null ? -1 : likely[c]!;
    let least = first < 0 ? Number.POSITIVE_INFINITY : pi[first]! * loads[at + first]!;
    for (let g = 0; g < types; g++, at++) {
      const price = pi[g]! * loads[at]!;
      if (price < least) least = price;
    }
    bound += least;
  }
  for (let g = 0; g < types; g++) {
    const margin = prices[g]! - pi[g]!;
    if (margin > 0) bound += margin * lower[g]!;
    else if (margin < 0) bound += margin * upper[g]!;
  }
  return bound;
};

/** Total load of all classes on each type alone (replicas), classes it may not serve left out: it never needs more. */
export const fullLoads = (program: Program): Float64Array => {
  const full = new Float64Array(program.types);
  for (let at = 0; at < program.loads.length; at++) {
    const load = program.loads[at]!;
    if (load !== Number.POSITIVE_INFINITY) full[at % program.types]! += load;
  }
  return full;
};

/** Whether a lower limit on all costs is as good as the cost itself, but for rounding. */
export const provesOptimal = (bound: number, cost: number): boolean => bound >= cost * (1 - roundingTolerance);

/** By how much of a step two sums of prices, each some thousand steps, may round apart. */
const stepRounding = 1e-6;

/**
 * What a cost that is lower at all is lower by at least: whole steps of the prices' common divisor, but for rounding (money/h).
 */
export const leastSaving = (unit: number): number => unit * (1 - stepRounding);

/** The whole number of replicas for a load that is divided by the line's scale. */
export const wholeReplicas = (load: number): number => Math.ceil(load * (1 - wholeTolerance));
