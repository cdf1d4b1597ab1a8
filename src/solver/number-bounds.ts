import type { Program } from './program.ts';
import { Relaxation } from './relaxation.ts';
import { roundingTolerance } from './tolerances.ts';
import type { WorkBudget } from './work-budget.ts';

/** The least that mixes of n replicas in all cost, by the price mu of one replica more that proves it (money/h). */
export interface NumberBound {
  readonly n: number;
  readonly mu: number;
  readonly bound: number;
}

/** Prices stay above this share of the least: a forest scales them. */
const leastShare = 0.01;
/** First step of mu in search of a bracket (share of the least price); each further one is twice as long, up to so many. */
const firstStep = 0.05;
const mostSteps = 14;
const mostCuts = 30;

/**
 * What a number of replicas in all costs at least. With any price mu of one replica more, every mix y of n replicas costs
 *
 *   price . y  =  mu n + (price - mu) . y  >=  mu n + L(pi; price - mu),
 *
 * and f(n) is the most of that over mu. It is concave in mu with slope n - (replicas of the relaxation at price - mu): mu is
 * bracketed, and then sought where the tangents from both sides meet. f is convex in n, with its least where the relaxation at
 * mu = 0 is. What is fluid is no replica.
 */
export class NumberBounds {
  /** Relaxations solved. */
  solves = 0;
  private readonly program: Program;
  private readonly prices: Float64Array;
  private readonly relaxation: Relaxation;
  private readonly most: number;
  private readonly few: number;
  private readonly many: number;
  private readonly root: Tangent;

  constructor(program: Program, loads: Float64Array, work?: WorkBudget) {
    this.program = program;
    this.prices = program.prices.slice();
    this.relaxation = new Relaxation({ ...program, prices: this.prices }, loads, work);
    this.most = (1 - leastShare) * this.machines((g) => program.prices[g]!, Math.min, Number.POSITIVE_INFINITY);
    this.few = this.machines((g) => program.lower[g]!, add, 0);
    this.many = this.machines((g) => program.upper[g]!, add, 0);
    this.root = this.tangent(0);
  }

  /** The whole numbers next to the relaxation's; those from `enough` on need not be exact. */
  below(enough: number): NumberBound {
    return this.at(Math.floor(this.root.replicas + roundingTolerance), enough);
  }
  above(enough: number): NumberBound {
    return this.at(Math.floor(this.root.replicas + roundingTolerance) + 1, enough);
  }

  pricesLess(mu: number): Float64Array {
    const { fluid, prices } = this.program;
    return prices.map((price, g) => (g === fluid ? price : price - mu));
  }

  at(n: number, enough: number): NumberBound {
    if (n < this.few || n > this.many || this.root.value === Number.POSITIVE_INFINITY)
      return { n, mu: 0, bound: Number.POSITIVE_INFINITY };
    const value = ({ mu, value: rest }: Tangent): number => mu * n + rest;
    let best = this.root;
    /** The last two on either side of the greatest: replicas below n, where it lies at a greater mu, and above. */
    let [short, over] = this.root.replicas <= n ? [this.root, null as Tangent | null] : [null, this.root];
    for (let round = 0; round < mostSteps + mostCuts && value(best) <= enough; round++) {
      const mu = short !== null && over !== null ? meeting(n, short, over) : this.outward(short, over, round);
      if (mu === null) break;
      const tangent = this.tangent(mu);
      if (value(tangent) > value(best)) best = tangent;
      else if (short !== null && over !== null) round += 5;
      if (tangent.replicas <= n) short = tangent;
      else over = tangent;
      if (tangent.replicas === n || tangent.value === Number.POSITIVE_INFINITY) break;
    }
    return { n, mu: best.mu, bound: value(best) };
  }

  private outward(short: Tangent | null, over: Tangent | null, round: number): number | null {
    const step = firstStep * this.most * 2 ** round;
    if (round >= mostSteps) return null;
    if (over !== null) return over.mu - step;
    return short!.mu >= this.most ? null : Math.min(this.most, short!.mu + step);
  }

  private tangent(mu: number): Tangent {
    this.solves++;
    this.prices.set(this.pricesLess(mu));
    this.relaxation.restart();
    this.relaxation.solve(Number.POSITIVE_INFINITY);
    return { mu, value: this.relaxation.bound, replicas: this.machines((g) => this.relaxation.replicas(g), add, 0) };
  }

  private machines(of: (g: number) => number, join: (a: number, b: number) => number, start: number): number {
    let all = start;
    for (let g = 0; g < this.program.types; g++) if (g !== this.program.fluid) all = join(all, of(g));
    return all;
  }
}

/** L at price - mu, and how many replicas its relaxation has. */
interface Tangent {
  readonly mu: number;
  readonly value: number;
  readonly replicas: number;
}

/** Where two tangents of mu n + L meet; null where that promises nothing above both. */
const meeting = (n: number, short: Tangent, over: Tangent): number | null => {
  const apart = over.replicas - short.replicas;
  if (!(apart > 0)) return null;
  const mu = (over.value + over.replicas * over.mu - short.value - short.replicas * short.mu) / apart;
  const promised = short.mu * n + short.value + (n - short.replicas) * (mu - short.mu);
  const known = Math.max(short.mu * n + short.value, over.mu * n + over.value);
  return promised > known + roundingTolerance * Math.abs(known) ? mu : null;
};

const add = (a: number, b: number): number => a + b;
