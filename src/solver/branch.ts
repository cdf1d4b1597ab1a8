import { basic, Forest } from './price-forest.ts';
import { leastSaving, type Program, provesOptimal, wholeReplicas } from './program.ts';
import { drawIn, Relaxation, type RelaxationStatus } from './relaxation.ts';
import { sameCost, wholeTolerance } from './tolerances.ts';
import type { WorkBudget } from './work-budget.ts';

export interface BranchOptions {
  /** Nodes after which the search stops with its incumbent and bound. */
  readonly nodeLimit: number;
  /** What it may do in all; its first node comes in any case. Absent = anything. */
  readonly work?: WorkBudget;
  /** Nodes that may be spent on mixes of the same cost once the cost is proven. */
  readonly tieLimit: number;
  /** Whether the first of two mixes of the same cost is the better one. */
  readonly prefers: (mix: Float64Array, other: Float64Array) => boolean;
  /** Writes the mix between two bounds that is preferred to all others there. */
  readonly favourite: (lower: Float64Array, upper: Float64Array, mix: Float64Array) => void;
  /** Share of the cost within which a mix counts as the cheapest. */
  readonly gapTolerance: number;
  /** Greatest common divisor of the prices (money/h); 0 = they have none. */
  readonly unit: number;
  /** A mix to start from, if it carries the demand. */
  readonly known: ArrayLike<number> | null;
  /** Whether it is sure that the known mix carries the demand. */
  readonly trusted: boolean;
  /** Where the program's prices are not what replicas cost: what they do cost, and what is added to every bound (money/h). */
  readonly shift?: { readonly prices: Float64Array; readonly constant: number };
  /** Called with the relaxation of every node as soon as it is solved: for checks in the tests. */
  readonly watch?: (relaxation: Relaxation, status: RelaxationStatus) => void;
}

/** `stopped`: at the node limit, without a mix. */
export interface BranchResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'stopped';
  /** Replicas per type; null without one. */
  readonly mix: Float64Array | null;
  /** Share of each class on each type, class x type, with which the mix carries the demand. */
  readonly assignment: Float64Array;
  readonly cost: number;
  readonly bound: number;
  readonly nodes: number;
}

/**
 * Branch and bound for one program: depth first, on a dear fractional type, nearer side first.
 *
 * Every fractional y rounded up carries the demand, so each node gives a mix. A node is pruned when its bound says
 * that it holds nothing cheaper than the incumbent, nor (while `tieLimit` lasts) anything as cheap that is preferred.
 */
export const branch = (program: Program, loads: Float64Array, options: BranchOptions): BranchResult =>
  new Branch(program, loads, options).run();

class Branch {
  private readonly program: Program;
  private readonly options: BranchOptions;
  private readonly relaxation: Relaxation;
  private readonly saved: Forest[] = [];
  /** Per depth lower, then upper, before they were drawn in. */
  private readonly ranges: Float64Array[] = [];
  private readonly rounded: Float64Array;
  /** What replicas cost, and what is added to a bound of the relaxation (money/h). */
  private readonly paid: Float64Array;
  private readonly constant: number;
  private readonly incumbent: Float64Array;
  private assignment: Float64Array = new Float64Array();
  private cost = Number.POSITIVE_INFINITY;
  /** Least bound of what was left unexplored (money/h). */
  private unexplored = Number.POSITIVE_INFINITY;
  /** Least bound of what was pruned (money/h). */
  private pruned = Number.POSITIVE_INFINITY;
  private nodes = 0;
  private tieNodes = 0;

  constructor(program: Program, loads: Float64Array, options: BranchOptions) {
    this.program = program;
    this.options = options;
    this.relaxation = new Relaxation(program, loads, options.work);
    this.rounded = new Float64Array(program.types);
    this.paid = options.shift?.prices ?? program.prices;
    this.constant = options.shift?.constant ?? 0;
    this.incumbent = new Float64Array(program.types);
  }

  run(): BranchResult {
    this.offerKnown();
    this.visit(0, Number.NEGATIVE_INFINITY);
    const { nodes, cost, assignment } = this;
    const bound = Math.min(this.unexplored, this.options.gapTolerance > sameCost ? this.pruned : cost, cost);
    if (cost === Number.POSITIVE_INFINITY)
      return { status: this.unexplored < cost ? 'stopped' : 'infeasible', mix: null, assignment, cost, bound, nodes };
    const status = provesOptimal(bound, cost) ? 'optimal' : 'feasible';
    return { status, mix: this.incumbent, assignment, cost, bound, nodes };
  }

  /** The known mix is an incumbent where the relaxation can be solved with every y held at it. */
  private offerKnown(): void {
    const { known } = this.options;
    const { lower, upper } = this.relaxation;
    if (known === null) return;
    for (let g = 0; g < lower.length; g++) if (known[g]! < lower[g]! || known[g]! > upper[g]!) return;
    this.rounded.set(known);
    if (this.options.trusted) {
      this.offer();
      return;
    }
    lower.set(known);
    upper.set(known);
    if (this.relaxation.solve(Number.POSITIVE_INFINITY) === 'optimal') this.offer();
    lower.set(this.program.lower);
    upper.set(this.program.upper);
    this.relaxation.restart();
  }

  /** What a node must exceed to be of no use: by cost alone, or by cost and preference. */
  private proofCutoff(): number {
    if (this.cost === Number.POSITIVE_INFINITY) return this.cost;
    return this.cost - Math.max(leastSaving(this.options.unit), this.cost * this.options.gapTolerance);
  }
  private cutoff(): number {
    return this.tieNodes < this.options.tieLimit ? this.cost * (1 + sameCost) : this.proofCutoff();
  }

  /** Whether the node could hold a mix that is preferred to the incumbent, were they all of the same cost. */
  private mayBePreferred(): boolean {
    this.options.favourite(this.relaxation.lower, this.relaxation.upper, this.rounded);
    return this.options.prefers(this.rounded, this.incumbent);
  }

  private visit(depth: number, parentBound: number): void {
    if (this.nodes >= this.options.nodeLimit || (this.nodes > 0 && this.options.work?.spent)) {
      this.leaveOpen(parentBound);
      return;
    }
    this.nodes++;
    const { relaxation } = this;
    const status = relaxation.solve(this.cutoff() - this.constant);
    this.options.watch?.(relaxation, status);
    if (status === 'infeasible') return;
    const relaxed = relaxation.bound + this.constant;
    if (status === 'cutoff' || relaxed > this.cutoff()) {
      this.pruned = Math.min(this.pruned, relaxed);
      return;
    }
    const bound = Math.max(relaxed, parentBound);
    if (bound > this.proofCutoff()) {
      if (!this.mayBePreferred()) return;
      this.tieNodes++;
    }
    if (status === 'stalled') {
      this.branchStalled(depth, bound);
      return;
    }
    const fractional = this.round();
    if (bound > this.cutoff()) {
      this.pruned = Math.min(this.pruned, bound);
      return;
    }
    if (fractional < 0) this.exploreTies(depth, bound);
    else {
      const load = relaxation.replicas(fractional);
      const up = this.rounded[fractional]!;
      const before = this.drawIn(depth);
      this.divide(depth, bound, fractional, up - 1, up, load - (up - 1) > 0.5);
      relaxation.lower.set(before.subarray(0, this.program.types));
      relaxation.upper.set(before.subarray(this.program.types));
    }
  }

  /** Children y_g <= v and y_g >= w of the node at hand. Bounds are as before on return, the forest is not. */
  private divide(depth: number, bound: number, g: number, v: number, w: number, upFirst: boolean): void {
    const { lower, upper, forest } = this.relaxation;
    this.saved[depth] ??= new Forest(forest.types, forest.classes);
    const saved = this.saved[depth];
    saved.copyFrom(forest);
    const [least, most] = [lower[g]!, upper[g]!];
    for (let side = 0; side < 2; side++) {
      const up = (side === 0) === upFirst;
      if (up ? w > most : v < least) continue;
      if (side === 1) forest.copyFrom(saved);
      if (up) lower[g] = w;
      else upper[g] = v;
      this.visit(depth + 1, bound);
      lower[g] = least;
      upper[g] = most;
    }
  }

  /**
   * Draws the node's bounds in, and returns them as they were. Where the search may stop short of the optimum its bound counts
   * what lies between the cutoff and the incumbent, so that must stay.
   */
  private drawIn(depth: number): Float64Array {
    const { relaxation } = this;
    const { lower, upper } = relaxation;
    this.ranges[depth] ??= new Float64Array(2 * lower.length);
    const before = this.ranges[depth];
    before.set(lower);
    before.set(upper, lower.length);
    drawIn(relaxation, (this.options.gapTolerance <= sameCost ? this.cutoff() : this.cost) - this.constant);
    return before;
  }

  /**
   * Rounds the relaxation's y up, offers that, and returns the fractional type to branch on (-1 = none): the dearest, of two
   * about as dear the one further from a whole number.
   */
  private round(): number {
    const { relaxation, rounded } = this;
    const { lower, forest } = relaxation;
    const { types, status } = forest;
    const { prices } = this.program;
    let [branching, most] = [-1, 0];
    for (let g = 0; g < types; g++) {
      const load = relaxation.replicas(g);
      if (status[g] !== basic || g === this.program.fluid) {
        rounded[g] = load;
        continue;
      }
      const whole = Math.max(wholeReplicas(load), lower[g]!);
      rounded[g] = whole;
      const short = whole - load;
      const weight = prices[g]! ** 2 * (0.2 + Math.min(short, 1 - short));
      if (short > wholeTolerance * whole && weight > most && whole > lower[g]!) [branching, most] = [g, weight];
    }
    this.offer();
    return branching;
  }

  private offer(): void {
    const { rounded, incumbent, paid } = this;
    const { types } = this.program;
    let cost = 0;
    for (let g = 0; g < types; g++) cost += paid[g]! * rounded[g]!;
    if (cost > this.cost * (1 + sameCost)) return;
    if (cost >= this.cost * (1 - sameCost) && !this.options.prefers(rounded, incumbent)) return;
    this.cost = cost;
    incumbent.set(rounded);
    this.assignment = this.relaxation.assignment();
  }

  /**
   * The relaxation's y is whole, so no mix of the node is cheaper; one as cheap may be preferred. Other values of each y
   * that can change at no cost are explored in turn, the y then held.
   */
  private exploreTies(depth: number, bound: number): void {
    const { relaxation } = this;
    const { lower, upper, forest } = relaxation;
    const { prices, types } = this.program;
    if (this.tieNodes >= this.options.tieLimit) return;
    const mix = this.rounded.slice();
    const before = [lower.slice(), upper.slice()] as const;
    const start = new Forest(types, forest.classes);
    start.copyFrom(forest);
    for (let g = 0; g < types; g++) {
      if (g === this.program.fluid) continue;
      if (bound + Math.abs(prices[g]! - start.pi[g]!) > this.cutoff()) continue;
      forest.copyFrom(start);
      this.divide(depth, bound, g, mix[g]! - 1, mix[g]! + 1, false);
      forest.copyFrom(start);
      lower[g] = mix[g]!;
      upper[g] = mix[g]!;
    }
    lower.set(before[0]);
    upper.set(before[1]);
  }

  /** Without a solution of the relaxation: halve the widest range, or leave the node open. */
  private branchStalled(depth: number, bound: number): void {
    const { lower, upper, forest } = this.relaxation;
    let widest = this.program.fluid === 0 ? 1 : 0;
    for (let g = 0; g < forest.types; g++)
      if (g !== this.program.fluid && upper[g]! - lower[g]! > upper[widest]! - lower[widest]!) widest = g;
    const width = upper[widest]! - lower[widest]!;
    if (width === 0) {
      this.leaveOpen(bound);
      return;
    }
    const middle = Math.floor(lower[widest]! + width / 2);
    this.divide(depth, bound, widest, middle, middle + 1, false);
  }

  private leaveOpen(bound: number): void {
    if (bound <= this.proofCutoff()) this.unexplored = Math.min(this.unexplored, bound);
  }
}
