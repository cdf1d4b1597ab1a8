import { loadNoise, Shares } from './forest-shares.ts';
import { LongStep } from './long-step.ts';
import { atLower, atUpper, basic, Forest, slack } from './price-forest.ts';
import { dualBound, type Program } from './program.ts';
import { roundingTolerance } from './tolerances.ts';
import { boundlessWork, iterationWork, type WorkBudget } from './work-budget.ts';

/** What a bound that grew step by step may have gained by rounding (share of it); it is computed afresh where it counts. */
const driftOfBound = 1e-12;

/**
 * `optimal`: shares and y solve the relaxation. `cutoff`: its bound passed the cutoff. `infeasible`: no y within the
 * bounds carries the classes. `stalled`: stopped early; the bound holds all the same.
 */
export type RelaxationStatus = 'optimal' | 'cutoff' | 'infeasible' | 'stalled';

/**
 * The bound at one node: the program without "y whole", by a dual simplex on price forests.
 *
 * L(pi) is concave. A basis fixes pi up to the scale of each tree, and the shares follow from it. They break a bound where a
 * type needs more than its y, or a share is below 0. A step cuts the tree there, and scales the prices of the part S that was
 * cut off: up where S is short of capacity, down where it has too much. L rises by that at the rate of the violation, its slope.
 * The step goes on until the slope is spent. The class or the bound that spends the rest of it joins S to the forest again.
 *
 * The slope is pi x violation, for this reason. Scale the prices of S by t. What S serves costs need_g pi_g t in all, which
 * grows with t as long as no class changes sides. The margin of S, (price_g - pi_g t) y_g, falls by pi_g t times its bound. So
 * dL / d log t at t = 1 is the sum of pi_g (need_g - bound_g) over S. Need and bound are equal for each type in S but the one
 * that is violated.
 *
 * One pivot on the example of program.ts, in the node with at most one A. At pi = (4, 1) short is served by B; medium and long
 * are served by A, which needs 0.5 + 0.9 = 1.4 where 1 is allowed: S = {A}, and the slope is 4 x 0.4 = 1.6. With pi_A = 4 t
 *
 *   L = 0.6 + 4 t (0.5 + 0.9) + (4 - 4 t) 1 = 4.6 + 1.6 t,   which is 6.2 at t = 1.
 *
 * At t = 1.25 medium costs 2.5 on either type. Beyond that it would leave A, and A would need 0.9, which is below 1: the slope is
 * spent. Medium ties A, which is now at its upper bound, to the tree of B. A has 1 - 0.9 left for medium, a share of 0.2. B
 * carries the other 0.8 and needs 0.6 + 0.8 x 2.5 = 2.6. L = 6.6.
 */
export class Relaxation {
  readonly program: Program;
  /** Divided by the line's scale: a replica carries 1. */
  readonly loads: Float64Array;
  /** Bounds of the node, which the caller sets. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly forest: Forest;
  readonly shares: Shares;
  /** A lower limit on the node's cost: L(pi), recomputed from pi wherever it could prune the node (money/h). */
  bound = Number.NEGATIVE_INFINITY;
  /** The same as added up step by step, for the check in the tests. */
  incrementalBound = Number.NEGATIVE_INFINITY;
  pivots = 0;
  private readonly inside: Uint8Array;
  private readonly longStep: LongStep;
  private readonly work: WorkBudget;
  private readonly workEach: number;

  /** @param work what its iterations are charged to */
  constructor(program: Program, loads: Float64Array, work: WorkBudget = boundlessWork) {
    const { types, classes } = program;
    this.program = program;
    this.loads = loads;
    this.work = work;
    this.workEach = iterationWork(types * classes);
    this.lower = program.lower.slice();
    this.upper = program.upper.slice();
    this.forest = new Forest(types, classes);
    this.forest.start(program.prices, loads);
    this.shares = new Shares(types);
    this.inside = new Uint8Array(types);
    this.longStep = new LongStep(this.forest, loads, program.prices, this.lower, this.upper);
  }

  /** Forgets the forest: every class where it is cheapest at the types' own prices. */
  restart(): void {
    this.forest.start(this.program.prices, this.loads);
  }

  /** Solves from the forest as it stands, whatever the bounds have become. */
  solve(cutoff: number): RelaxationStatus {
    const { forest } = this;
    this.incrementalBound = forest.classValue + this.marginValue();
    const before = this.pivots;
    const status = this.iterate(cutoff);
    this.work.charge((1 + this.pivots - before) * this.workEach);
    if (status === 'infeasible') {
      this.bound = Number.POSITIVE_INFINITY;
      return status;
    }
    if (status === 'optimal' && this.incrementalBound <= cutoff) {
      forest.classValue = this.incrementalBound - this.marginValue();
      this.bound = this.incrementalBound - driftOfBound * Math.abs(this.incrementalBound);
      return status;
    }
    this.bound = this.certifiedBound();
    forest.classValue = this.bound - this.marginValue();
    return status === 'cutoff' && this.bound <= cutoff ? 'stalled' : status;
  }

  /** y of type g in the relaxation's optimum. */
  replicas(g: number): number {
    const status = this.forest.status[g]!;
    if (status === basic) return this.shares.need[g]!;
    return status === atUpper ? this.upper[g]! : this.lower[g]!;
  }

  /** Share of class c on each type, class x type. */
  assignment(): Float64Array {
    const { types, classes, server, member } = this.forest;
    const { share, rest, parent } = this.shares;
    const assignment = new Float64Array(types * classes);
    for (let c = 0; c < classes; c++) {
      const g = server[c]!;
      if (g >= 0) {
        assignment[c * types + g] = 1;
        continue;
      }
      const k = -1 - g;
      for (let h = 0; h < types; h++)
        if (member[k * types + h] === 1) assignment[c * types + h] = h === parent[k] ? rest[k]! : share[k * types + h]!;
    }
    return assignment;
  }

  /** L(pi), every class priced on every type again. */
  certifiedBound(): number {
    const { types, classes, prices } = this.program;
    const { loads, lower, upper, forest } = this;
    return dualBound({ types, prices, loads, lower, upper }, forest.pi, classes, forest.server);
  }

  /** sum_g min over the bounds of (price_g - pi_g) y (money/h). */
  private marginValue(): number {
    const { lower, upper, forest, program } = this;
    let value = 0;
    for (let g = 0; g < program.types; g++) {
      const margin = program.prices[g]! - forest.pi[g]!;
      if (margin > 0) value += margin * lower[g]!;
      else if (margin < 0) value += margin * upper[g]!;
    }
    return value;
  }

  private iterate(cutoff: number): RelaxationStatus {
    const { forest, shares, longStep } = this;
    const limit = 200 + 20 * forest.types;
    for (let iteration = 0; iteration < limit; iteration++) {
      if (this.incrementalBound > cutoff) return 'cutoff';
      shares.update(forest, this.loads, this.lower, this.upper);
      const leaving = this.leaving();
      if (leaving === 0) return 'optimal';
      this.pivots++;
      if (!longStep.run(this.inside, shares, this.dropSplit, leaving, this.slope)) {
        const status = this.infeasible() ? 'infeasible' : 'stalled';
        this.restart();
        return status;
      }
      if (this.dropSplit >= 0) forest.leave(this.dropSplit, this.dropType);
      this.incrementalBound += longStep.gain;
    }
    return 'stalled';
  }

  /** dL / d log t of the step that {@link leaving} found (money/h), and the tie that it cuts (-1 = none). */
  private slope = 0;
  private dropSplit = -1;
  private dropType = -1;

  /**
   * Finds the steepest violation, cuts the forest there and marks S. Returns 1 where S becomes dearer, -1 where it
   * becomes cheaper, 0 where nothing is violated.
   */
  private leaving(): -1 | 0 | 1 {
    const { forest, shares, lower, upper } = this;
    const { types, pi, status, splits, splitClass } = forest;
    const { need, above, parent, share, rest } = shares;
    let [steepest, type, split, direction] = [0, -1, -1, 0 as -1 | 0 | 1];
    for (let g = 0; g < types; g++) {
      let slope = 0;
      let up = true;
      if (above[g]! >= 0) {
        const k = above[g]!;
        slope = -share[k * types + g]! * this.loads[splitClass[k]! * types + g]! * pi[g]!;
      } else if (status[g] === slack) {
        if (need[g]! > lower[g]! * (1 + loadNoise)) slope = pi[g]! * (need[g]! - lower[g]!);
      } else if (need[g]! > upper[g]! * (1 + loadNoise)) slope = pi[g]! * (need[g]! - upper[g]!);
      else if (need[g]! < lower[g]! * (1 - loadNoise)) {
        slope = pi[g]! * (lower[g]! - need[g]!);
        up = false;
      }
      if (slope > steepest) [steepest, type, direction] = [slope, g, up ? 1 : -1];
    }
    for (let k = 0; k < splits; k++) {
      const g = parent[k]!;
      const slope = -rest[k]! * this.loads[splitClass[k]! * types + g]! * pi[g]!;
      if (slope > steepest) [steepest, split, direction] = [slope, k, -1];
    }
    this.slope = steepest;
    this.dropSplit = -1;
    if (direction !== 0) this.cut(type, split, direction);
    return direction;
  }

  /** Marks S: below (and with) a type, or below a split. Bounds that stop being basic are set. */
  private cut(type: number, split: number, direction: -1 | 1): void {
    const { inside, forest, shares } = this;
    const { types, status } = forest;
    const { order, above, parent } = shares;
    inside.fill(0);
    for (let i = 0; i < types; i++) {
      const g = order[i]!;
      const k = above[g]!;
      inside[g] =
        split >= 0
          ? k === split || (k >= 0 && inside[parent[k]!] === 1)
            ? 1
            : 0
          : g === type || (k >= 0 && inside[parent[k]!] === 1)
            ? 1
            : 0;
    }
    if (split >= 0) {
      this.dropSplit = split;
      this.dropType = parent[split]!;
    } else if (above[type]! >= 0) {
      this.dropSplit = above[type]!;
      this.dropType = type;
    } else status[type] = status[type] === basic && direction === 1 ? atUpper : atLower;
  }

  /**
   * Certifies that no y carries the classes (Farkas): with the prices of S alone, the classes that nothing outside S can
   * serve cost more than all the capacity that S may have.
   */
  private infeasible(): boolean {
    const { inside, forest, loads, upper } = this;
    const { types, classes, pi } = forest;
    let [asked, offered] = [0, 0];
    for (let g = 0; g < types; g++) if (inside[g] === 1) offered += pi[g]! * upper[g]!;
    for (let c = 0; c < classes; c++) {
      let least = Number.POSITIVE_INFINITY;
      for (let g = 0; g < types; g++) {
        const load = loads[c * types + g]!;
        if (load !== Number.POSITIVE_INFINITY) least = Math.min(least, inside[g] === 1 ? pi[g]! * load : 0);
      }
      if (least !== Number.POSITIVE_INFINITY) asked += least;
    }
    return asked > offered * (1 + loadNoise);
  }
}

/**
 * Draws the bounds of a node in to where mixes within the cutoff may lie, by the prices pi of its solved relaxation.
 *
 * L(pi) counts a y at its lower bound with (price - pi) lower. A mix with more of it costs at least
 * L + (price - pi) (y - lower), so y <= lower + (cutoff - L) / (price - pi); likewise down from an upper bound.
 *
 * With L = 6.6, a cutoff of 7 and A at its lower bound, price 4 and pi 3.7: (7 - 6.6) / 0.3 = 1.3, at most one A more.
 */
export const drawIn = ({ program, lower, upper, forest, bound }: Relaxation, cutoff: number): void => {
  const { types, prices } = program;
  const { pi, status } = forest;
  const room = cutoff - bound + roundingTolerance * Math.abs(bound);
  if (room === Number.POSITIVE_INFINITY) return;
  for (let g = 0; g < types; g++) {
    const margin = prices[g]! - pi[g]!;
    const replicas = g === program.fluid ? room / Math.abs(margin) : Math.floor(room / Math.abs(margin));
    if (status[g] === atLower && margin > 0) upper[g] = Math.min(upper[g]!, lower[g]! + replicas);
    else if (status[g] === atUpper && margin < 0) lower[g] = Math.max(lower[g]!, upper[g]! - replicas);
  }
};
