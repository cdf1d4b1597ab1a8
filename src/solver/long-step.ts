import type { Shares } from './forest-shares.ts';
import { atLower, atUpper, basic, type Forest, slack } from './price-forest.ts';
import { roundingTolerance } from './tolerances.ts';

/** Prices below this share of a type's own count as 0: a forest scales prices and could never leave 0 again. */
const floorShare = 1e-12;
/** A slope below this share of the terms that it is the sum of is spent: the rest is rounding. */
const slopeNoise = 1e-13;

/**
 * One step of the dual simplex: the prices of the types in S are multiplied by t, up from 1 or down from 1, while L grows.
 *
 * L is piecewise linear in t. Its slope falls at every breakpoint:
 * - up: a class served in S becomes as dear as outside (it moves there: minus its price), a y at its lower bound reaches
 *   pi = price (it flips to its upper bound: minus pi (upper - lower), all of it where there is no upper bound);
 * - down: a class served outside becomes as cheap inside; a y at its upper bound falls to pi = price; a price reaches 0.
 * Breakpoints are passed in order until the slope is spent; the last one enters the basis. A split class cannot be passed,
 * as it holds its tree together: it joins and the step ends there.
 */
export class LongStep {
  /** What L gained in the last run (money/h). */
  gain = 0;
  private readonly forest: Forest;
  private readonly loads: Float64Array;
  private readonly prices: Float64Array;
  private readonly lower: Float64Array;
  private readonly upper: Float64Array;
  /**
   * The nearest breakpoints that spend the slope together, as a heap with the farthest on top: `ratio` (t up, 1/t down), by
   * how much the slope falls there, what happens (class c, or -1 - g for type g), the type that the class ties with.
   */
  private readonly heap: Int32Array;
  private readonly ratio: Float64Array;
  private readonly weight: Float64Array;
  private readonly what: Int32Array;
  private readonly partner: Int16Array;
  private readonly others: Int16Array;
  /** How many were listed, and how many of them the heap holds. */
  private count = 0;
  private size = 0;
  /** What the heap has to spend, with room for rounding, and what it spends, no entry counted for more than that (money/h). */
  private wanted = 0;
  private spending = 0;
  /** Ratio from which on nothing is wanted. */
  private farthest = Number.POSITIVE_INFINITY;

  constructor(forest: Forest, loads: Float64Array, prices: Float64Array, lower: Float64Array, upper: Float64Array) {
    this.forest = forest;
    this.loads = loads;
    this.prices = prices;
    this.lower = lower;
    this.upper = upper;
    const most = forest.classes + 2 * forest.types;
    this.heap = new Int32Array(most);
    this.ratio = new Float64Array(most);
    this.weight = new Float64Array(most);
    this.what = new Int32Array(most);
    this.partner = new Int16Array(most);
    this.others = new Int16Array(forest.types);
  }

  /**
   * `cut` is the split whose tie to its parent was cut, if one was. Returns false where L grows without end: nothing outside
   * S can relieve it.
   */
  run(inside: Uint8Array, shares: Shares, cut: number, direction: -1 | 1, slope: number): boolean {
    const { pi, types } = this.forest;
    this.count = 0;
    this.size = 0;
    this.wanted = slope * (1 + roundingTolerance);
    this.spending = 0;
    this.farthest = Number.POSITIVE_INFINITY;
    if (direction === 1) this.breakpointsUp(inside, shares);
    else this.breakpointsDown(inside, shares, cut);
    const spent = slopeNoise * (slope + this.value(inside));
    const steps = this.sortHeap();
    let at = 1;
    this.gain = 0;
    for (let i = 0; i < steps; i++) {
      const next = this.heap[i]!;
      const ratio = this.ratio[next]!;
      this.gain += slope * (direction === 1 ? ratio - at : 1 / at - 1 / ratio);
      at = ratio;
      slope -= this.weight[next]!;
      if (slope <= spent) {
        const t = direction === 1 ? at : 1 / at;
        for (let g = 0; g < types; g++) if (inside[g] === 1) pi[g]! *= t;
        this.enter(next, direction);
        return true;
      }
      this.pass(next);
    }
    return false;
  }

  /** What the capacity of S is worth (money/h): the scale on which a slope counts as spent. */
  private value(inside: Uint8Array): number {
    const { types, pi, status } = this.forest;
    let value = 0;
    for (let g = 0; g < types; g++)
      if (inside[g] === 1) value += pi[g]! * (status[g] === atUpper ? this.upper[g]! : this.lower[g]!);
    return value;
  }

  private breakpointsUp(inside: Uint8Array, shares: Shares): void {
    const { types, classes, server, pi, status } = this.forest;
    const { loads, others } = this;
    for (let g = 0; g < types; g++)
      if (inside[g] === 1 && status[g] === atLower && this.upper[g]! > this.lower[g]!)
        this.add(this.prices[g]! / pi[g]!, pi[g]! * (this.upper[g]! - this.lower[g]!), -1 - g, -1);
    const count = this.collect(inside, 0);
    for (let c = 0, at = 0; c < classes; c++, at += types) {
      const g = server[c]!;
      const serving = g >= 0 ? g : shares.parent[-1 - g]!;
      if (inside[serving] === 0) continue;
      const price = pi[serving]! * loads[at + serving]!;
      let least = this.farthest * price;
      let cheapest = -1;
      for (let i = 0; i < count; i++) {
        const h = others[i]!;
        const other = pi[h]! * loads[at + h]!;
        if (other < least) {
          least = other;
          cheapest = h;
        }
      }
      if (cheapest >= 0) this.add(least / price, g >= 0 ? price : Number.POSITIVE_INFINITY, c, cheapest);
    }
  }

  private breakpointsDown(inside: Uint8Array, shares: Shares, cut: number): void {
    const { types, classes, server, pi, status } = this.forest;
    const { loads, others } = this;
    for (let g = 0; g < types; g++) {
      if (inside[g] === 0) continue;
      if (status[g] === atUpper && this.upper[g]! > this.lower[g]!)
        this.add(pi[g]! / this.prices[g]!, pi[g]! * (this.upper[g]! - this.lower[g]!), -1 - g, -1);
      this.add(pi[g]! / (floorShare * this.prices[g]!), Number.POSITIVE_INFINITY, -1 - g, 0);
    }
    const count = this.collect(inside, 1);
    for (let c = 0, at = 0; c < classes; c++, at += types) {
      const g = server[c]!;
      const serving = g >= 0 ? g : shares.parent[-1 - g]!;
      if (inside[serving] === 1 || (g < 0 && -1 - g === cut)) continue;
      const price = pi[serving]! * loads[at + serving]!;
      let least = this.farthest * price;
      let cheapest = -1;
      for (let i = 0; i < count; i++) {
        const h = others[i]!;
        const other = pi[h]! * loads[at + h]!;
        if (other < least) {
          least = other;
          cheapest = h;
        }
      }
      if (cheapest >= 0) this.add(least / price, g >= 0 ? least : Number.POSITIVE_INFINITY, c, cheapest);
    }
  }

  /** Lists the types inside S (1) or outside (0), and returns how many there are. */
  private collect(inside: Uint8Array, side: 0 | 1): number {
    let count = 0;
    for (let g = 0; g < this.forest.types; g++) if (inside[g] === side) this.others[count++] = g;
    return count;
  }

  /** Lists a breakpoint, and drops the farthest ones that the others can do without. */
  private add(ratio: number, weight: number, what: number, partner: number): void {
    if (ratio >= this.farthest) return;
    const { heap, wanted } = this;
    const i = this.count++;
    this.ratio[i] = Math.max(ratio, 1);
    this.weight[i] = weight;
    this.what[i] = what;
    this.partner[i] = partner;
    this.spending += Math.min(weight, wanted);
    this.rise(this.size++, i);
    for (;;) {
      const rest = this.spending - Math.min(this.weight[heap[0]!]!, wanted);
      if (rest < wanted) break;
      this.spending = rest;
      this.sink(heap[--this.size]!, this.size);
    }
    if (this.spending >= wanted) this.farthest = this.ratio[heap[0]!]!;
  }

  private pass(i: number): void {
    const { server, status } = this.forest;
    const what = this.what[i]!;
    if (what >= 0) server[what] = this.partner[i]!;
    else status[-1 - what] = status[-1 - what] === atLower ? atUpper : atLower;
  }

  private enter(i: number, direction: -1 | 1): void {
    const { types, server, status, pi, member } = this.forest;
    const what = this.what[i]!;
    if (what < 0) {
      const g = -1 - what;
      const falls = direction === -1 && this.partner[i] === 0;
      status[g] = falls ? slack : basic;
      pi[g] = falls ? floorShare * this.prices[g]! : this.prices[g]!;
    } else if (server[what]! >= 0) this.forest.split(what, server[what]!, this.partner[i]!);
    else member[(-1 - server[what]!) * types + this.partner[i]!] = 1;
  }

  /** Turns the heap into a list, nearest first, and returns its length. */
  private sortHeap(): number {
    const { heap, size } = this;
    for (let end = size - 1; end > 0; end--) {
      const farthest = heap[0]!;
      this.sink(heap[end]!, end);
      heap[end] = farthest;
    }
    return size;
  }

  /** Puts an entry into the free place `at`, or above it. */
  private rise(at: number, entry: number): void {
    const { heap, ratio } = this;
    const key = ratio[entry]!;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (ratio[heap[above]!]! >= key) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = entry;
  }

  /** Puts an entry in place of the top of a heap of this size, or below it. */
  private sink(entry: number, size: number): void {
    const { heap, ratio } = this;
    const key = ratio[entry]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && ratio[heap[child + 1]!]! > ratio[heap[child]!]!) child++;
      if (ratio[heap[child]!]! <= key) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }
}
