import type { Cut } from './capacity-cuts.ts';
import type { DenseSimplex } from './dense-simplex.ts';
import { closeUnusedVariants, preference } from './fleet.ts';
import { type Joint, negligible } from './joint.ts';
import { addCut, type Goal, goalValue, jointProgram, roundedCut } from './joint-program.ts';
import { roundingTolerance, sameCost } from './tolerances.ts';

export interface JointResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'stopped';
  /** One mix per model; null without one. */
  readonly mixes: readonly Float64Array[] | null;
  readonly value: number;
  readonly bound: number;
  readonly nodes: number;
}

/** y this close to a whole number is whole: what the simplex leaves of it. */
const fractionTolerance = 1e-7;
/** A row that is this close to its limit (share of it) holds the solution there. */
const bindingTolerance = 1e-6;
const cutRounds = 200;
/** Rounds of rounded cuts at the root, and at each other node. */
const rootRoundings = 30;
const nodeRoundings = 1;
const tieLimit = 100;
/** Cells of linear programs that count as one node. */
const workPerNode = 1_000;

/**
 * The program of all models at once, seen from the replicas only:
 *
 *   minimise  weights . (y, u)   with  J1  u_m >= unserved share of model m with its y_m  (convex: by cuts, as they are met)
 *                                      J2  sum of gpus y <= stock per pool,  price . y <= budget,  J3  the goal's limits on u
 *
 * branched on fractional y, and on the way of a model that has several, once its y is whole and no way serves what the
 * cuts promise. Slower than the special cases, but it takes any limit; best effort needs that.
 */
export const searchJointly = (joint: Joint, goal: Goal, nodeLimit: number, known: readonly Float64Array[] | null): JointResult =>
  new Search(joint, goal, nodeLimit, known).run();

class Search {
  private readonly joint: Joint;
  private readonly goal: Goal;
  private readonly nodeLimit: number;
  private mixes: Float64Array[] | null = null;
  private value = Number.POSITIVE_INFINITY;
  /** Least bound of what was left unexplored. */
  private unexplored = Number.POSITIVE_INFINITY;
  private nodes = 0;
  private tieNodes = 0;
  private work = 0;

  constructor(joint: Joint, goal: Goal, nodeLimit: number, known: readonly Float64Array[] | null) {
    this.joint = joint;
    this.goal = goal;
    this.nodeLimit = nodeLimit;
    if (known !== null) this.offer(known);
  }

  run(): JointResult {
    const { models } = this.joint.fleet;
    const variants = models.flatMap((model) => model.variants);
    this.searchWays(
      models.map(({ ways }) => (ways.length === 1 ? 0 : -1)),
      variants.map(({ lower }) => lower),
      variants.map(({ upper }) => upper),
      Number.NEGATIVE_INFINITY,
    );
    const { mixes, value, nodes } = this;
    const bound = Math.min(this.unexplored, value);
    if (mixes === null) return { status: this.unexplored < value ? 'stopped' : 'infeasible', mixes, value, bound, nodes };
    return { status: bound >= value - this.same() ? 'optimal' : 'feasible', mixes, value, bound, nodes };
  }

  private same(): number {
    return this.goal.same + (this.goal.ties && this.value < Number.POSITIVE_INFINITY ? roundingTolerance * this.value : 0);
  }
  private cutoff(): number {
    if (this.value === Number.POSITIVE_INFINITY) return this.value;
    return this.value + (this.goal.ties && this.tieNodes < tieLimit ? this.same() : -this.same());
  }

  /** One linear program per choice of ways; inside it only bounds change. */
  private searchWays(ways: readonly number[], lower: readonly number[], upper: readonly number[], bound: number): void {
    this.visit(jointProgram(this.joint, this.goal, ways, lower, upper), ways, bound);
  }

  private visit(simplex: DenseSimplex, ways: readonly number[], parentBound: number): void {
    if (this.spent()) {
      this.leaveOpen(parentBound);
      return;
    }
    this.nodes++;
    const before = simplex.work;
    const solved = this.separate(simplex, ways);
    this.work += simplex.work - before;
    if (this.spent()) {
      this.leaveOpen(parentBound);
      if (solved !== null) this.offerRounded(solved.v);
      return;
    }
    if (solved === null || solved.value > this.cutoff()) return;
    const bound = Math.max(parentBound, solved.value);
    if (bound > this.value - this.same()) this.tieNodes++;
    const branching = this.fractional(solved.v);
    this.offerRounded(solved.v);
    if (bound > this.cutoff()) return;
    if (branching >= 0) this.divide(simplex, ways, bound, branching, Math.floor(solved.v[branching]!), 1);
    else this.settle(simplex, ways, bound, solved.v);
  }

  /** The limit counts nodes, and what their linear programs took. */
  private spent(): boolean {
    return this.nodes >= this.nodeLimit || this.work > workPerNode * this.nodeLimit || this.joint.work.spent;
  }

  private leaveOpen(bound: number): void {
    if (bound <= this.value - this.same()) this.unexplored = Math.min(this.unexplored, bound);
  }

  /** Adds violated cuts until there is none; then what they say of whole replicas alone, in so many rounds as that is worth. */
  private separate(simplex: DenseSimplex, ways: readonly number[]): { value: number; v: Float64Array } | null {
    const before = simplex.work;
    let rounding = this.nodes === 1 ? rootRoundings : nodeRoundings;
    for (let round = 0; ; round++) {
      const solved = simplex.solve();
      if (solved === null || solved.value > this.cutoff() || round === cutRounds) return solved;
      if (this.joint.work.spent || this.work + simplex.work - before > workPerNode * this.nodeLimit) return solved;
      if (this.addCuts(simplex, ways, solved.v)) continue;
      if (rounding === 0 || !this.addRoundedCuts(simplex, ways, solved.v)) return solved;
      rounding--;
    }
  }

  /** Adds the cut of each model that leaves more unserved than the program promises; false = there is none. */
  private addCuts(simplex: DenseSimplex, ways: readonly number[], v: Float64Array): boolean {
    const { joint } = this;
    let added = false;
    ways.forEach((way, m) => {
      const { unserved, cut } = joint.service(m, way, this.replicasOf(m, v));
      if (unserved / joint.totals[m]! <= v[joint.variants + m]! + negligible) return;
      joint.keep(m, way, cut);
      addCut(simplex, joint, m, cut);
      added = true;
    });
    return added;
  }

  /**
   * The same of what the cuts that bind say of whole replicas. They hold everywhere, as they start from the fleet's own bounds.
   */
  private addRoundedCuts(simplex: DenseSimplex, ways: readonly number[], v: Float64Array): boolean {
    const { joint } = this;
    let added = false;
    ways.forEach((way, m) => {
      const { variants } = joint.fleet.models[m]!;
      const y = this.replicasOf(m, v);
      const unserved = v[joint.variants + m]! * joint.totals[m]!;
      const lower = variants.map((variant) => variant.lower);
      const upper = variants.map((variant) => variant.upper);
      for (const cut of joint.known(m, way)) {
        if (cut.weight !== 1 || !binds(cut, y, unserved)) continue;
        const rounded = roundedCut(cut, y, unserved, lower, upper);
        if (rounded === null) continue;
        joint.keep(m, way, rounded);
        addCut(simplex, joint, m, rounded);
        added = true;
      }
    });
    return added;
  }

  private replicasOf(m: number, v: Float64Array): Float64Array {
    const first = this.joint.first(m);
    return v.slice(first, first + this.joint.fleet.models[m]!.variants.length).map((y) => snapped(y));
  }

  private fractional(v: Float64Array): number {
    let [worst, at] = [fractionTolerance, -1];
    for (let i = 0; i < this.joint.variants; i++) {
      const distance = Math.abs(v[i]! - Math.round(v[i]!));
      if (distance > worst) [worst, at] = [distance, i];
    }
    return at;
  }

  /** Children y <= below and y >= below + step. */
  private divide(simplex: DenseSimplex, ways: readonly number[], bound: number, i: number, below: number, step: number): void {
    const [least, most] = [simplex.lower[i]!, simplex.upper[i]!];
    for (const up of [true, false]) {
      if (up ? below + step > most : below < least) continue;
      if (up) simplex.lower[i] = below + step;
      else simplex.upper[i] = below;
      this.visit(simplex, ways, bound);
      simplex.lower[i] = least;
      simplex.upper[i] = most;
    }
  }

  /**
   * y is whole. Where a model's way is still open and no way serves what the cuts promise, each way is tried. Else the
   * point itself was offered; others of the same value are looked at while ties matter.
   */
  private settle(simplex: DenseSimplex, ways: readonly number[], bound: number, v: Float64Array): void {
    const { joint } = this;
    const { models } = joint.fleet;
    const mixes = this.mixesOf(v, Math.round);
    const undecided = ways.findIndex((way, m) => {
      if (way >= 0) return false;
      const best = joint.bestWay(m, mixes[m]!);
      return best === null || best.service.unserved / joint.totals[m]! > v[joint.variants + m]! + negligible;
    });
    if (undecided >= 0) {
      models[undecided]!.ways.forEach((way, w) => {
        const [lower, upper] = [simplex.lower.slice(0, joint.variants), simplex.upper.slice(0, joint.variants)];
        if (closeUnusedVariants(way, joint.first(undecided), lower, upper))
          this.searchWays(
            ways.map((chosen, m) => (m === undecided ? w : chosen)),
            lower,
            upper,
            bound,
          );
      });
      return;
    }
    if (!this.accepted(mixes) || (this.goal.ties && this.tieNodes < tieLimit)) this.explore(simplex, ways, bound, mixes);
  }

  /** Every other whole point of the node, one variant after the other held at its value. */
  private explore(simplex: DenseSimplex, ways: readonly number[], bound: number, mixes: readonly Float64Array[]): void {
    const flat = mixes.flatMap((mix) => [...mix]);
    const before = flat.map((_, i) => [simplex.lower[i]!, simplex.upper[i]!] as const);
    flat.forEach((replicas, i) => {
      this.divide(simplex, ways, bound, i, replicas - 1, 2);
      simplex.lower[i] = replicas;
      simplex.upper[i] = replicas;
    });
    before.forEach(([lower, upper], i) => {
      simplex.lower[i] = lower;
      simplex.upper[i] = upper;
    });
  }

  private mixesOf(v: Float64Array, round: (y: number) => number): Float64Array[] {
    return this.joint.fleet.models.map(({ variants }, m) =>
      Float64Array.from(variants, ({ lower, upper }, g) => Math.min(upper, Math.max(lower, round(v[this.joint.first(m) + g]!)))),
    );
  }

  private offerRounded(v: Float64Array): void {
    this.offer(this.mixesOf(v, Math.round));
    this.offer(this.mixesOf(v, (y) => Math.floor(y + fractionTolerance)));
    this.offer(this.mixesOf(v, (y) => Math.ceil(y - fractionTolerance)));
  }

  private offer(mixes: readonly Float64Array[]): void {
    const value = goalValue(this.joint, this.goal, mixes, this.value + this.same());
    if (value === null) return;
    const same = this.goal.ties ? sameCost * Math.abs(this.value) : 0;
    if (this.mixes !== null && value > this.value + same) return;
    if (this.mixes !== null && value >= this.value - same) {
      if (!this.goal.ties || preference(this.joint.fleet.models, mixes, this.mixes) >= 0) return;
    }
    this.value = value;
    this.mixes = mixes.map((mix) => mix.slice());
  }

  private accepted(mixes: readonly Float64Array[]): boolean {
    return goalValue(this.joint, this.goal, mixes, Number.POSITIVE_INFINITY) !== null;
  }
}

/** LP noise on a whole number is removed before it asks for a cut. */
const snapped = (y: number): number => (Math.abs(y - Math.round(y)) < fractionTolerance ? Math.round(y) : Math.max(0, y));

const binds = ({ constant, slopes }: Cut, y: Float64Array, unserved: number): boolean => {
  const has = slopes.reduce((sum, slope, g) => sum + slope * y[g]!, unserved);
  return has - constant < bindingTolerance * Math.max(1, Math.abs(constant));
};
