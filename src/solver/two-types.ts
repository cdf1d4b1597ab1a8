import type { BranchOptions, BranchResult } from './branch.ts';
import type { Program } from './program.ts';
import { wholeReplicas } from './program.ts';
import { sameCost, wholeTolerance } from './tolerances.ts';

/**
 * Two types have a closed form. For a given y of the first type, the second carries least when the first is filled with the
 * classes that gain most there, those of the largest load_c2 / load_c1:
 *
 *   rest(y) = load left for type 2 = (classes for 2 only) + sum over the classes behind the fill,  convex and falling in y.
 *
 * So price_1 y + price_2 rest(y) has its least where the ratio passes price_1 / price_2. From there y walks up and down in whole
 * steps, the second type rounded up, until what a direction promises is above the incumbent. Where the second type's upper bound
 * asks for more of the first, y begins there.
 *
 * With the example of program.ts: ratios 3 (short) and 5 (medium), long on A only, price_A / price_B = 4. rest(1) = 2.6 and
 * rest(2) = 0, the relaxed costs 6.6 and 8, the whole ones 7 and 8.
 */
export const twoTypes = (program: Program, scaled: Float64Array, options: BranchOptions): BranchResult => {
  const [priceOne, priceTwo] = [program.prices[0]!, program.prices[1]!];
  const fill = new Fill(program, scaled);
  const least = Math.max(program.lower[0]!, wholeReplicas(fill.onlyOne));
  const high = Math.max(least, Math.min(program.upper[0]!, wholeReplicas(fill.onlyOne + fill.first[fill.count]!)));
  const low = lowestWithin(least, high, (y) => wholeReplicas(fill.rest(y)) <= program.upper[1]!);
  const mix = new Float64Array(2);
  const candidate = new Float64Array(2);
  let cost = Number.POSITIVE_INFINITY;
  let nodes = 0;
  /** Offers y of the first type; returns what the relaxation promises there. */
  const offer = (y: number): number => {
    nodes++;
    const rest = fill.rest(y);
    const two = Math.max(program.lower[1]!, wholeReplicas(rest));
    const promised = priceOne * y + priceTwo * Math.max(program.lower[1]!, rest);
    if (two > program.upper[1]!) return promised;
    const whole = priceOne * y + priceTwo * two;
    candidate[0] = y;
    candidate[1] = two;
    const tied = cost < Number.POSITIVE_INFINITY && Math.abs(whole - cost) <= sameCost * cost;
    if (tied ? options.prefers(candidate, mix) : whole < cost) {
      cost = whole;
      mix.set(candidate);
    }
    return promised;
  };
  const none = { mix: null, assignment: new Float64Array(), cost, bound: cost };
  if (least > program.upper[0]! || wholeReplicas(fill.onlyTwo) > program.upper[1]!)
    return { status: 'infeasible', ...none, nodes };
  const promise = (y: number): number => priceOne * y + priceTwo * Math.max(program.lower[1]!, fill.rest(y));
  const balanced = Math.min(high, Math.max(low, Math.floor(fill.onlyOne + fill.first[fill.balanced(priceOne / priceTwo)]!)));
  // The least promise of all whole y; a floor of the second type moves it further down.
  const start = lowestWithin(
    program.lower[1] === 0 ? balanced : low,
    program.lower[1] === 0 ? Math.min(high, balanced + 1) : high,
    (y) => promise(y + 1) >= promise(y),
  );
  const beyond = () => cost * (1 + sameCost);
  let bound = Number.POSITIVE_INFINITY;
  const walk = (from: number, step: 1 | -1, to: number, limit: number): void => {
    for (let y = from; step * y <= step * to; y += step) {
      const promised = offer(y);
      if (promised > beyond()) return;
      if (nodes < limit) continue;
      // It is convex: what lies further promises no less.
      bound = Math.min(bound, promised);
      return;
    }
  };
  walk(start, 1, high, options.nodeLimit / 2);
  walk(start - 1, -1, low, options.nodeLimit);
  if (cost === Number.POSITIVE_INFINITY) return { status: 'infeasible', ...none, nodes };
  const assignment = fill.assignment(mix[0]!);
  return bound < cost * (1 - sameCost)
    ? { status: 'feasible', mix, assignment, cost, bound, nodes }
    : { status: 'optimal', mix, assignment, cost, bound: cost, nodes };
};

/**
 * The least whole number from `low` to `high` that is enough, where everything above an enough one is too; `high` where none
 * is.
 */
const lowestWithin = (low: number, high: number, enough: (y: number) => boolean): number => {
  let [below, above] = [low, high];
  while (below < above) {
    const middle = Math.floor((below + above) / 2);
    if (enough(middle)) above = middle;
    else below = middle + 1;
  }
  return below;
};

/** The classes that both types serve, in the order in which the first type is filled with them. */
class Fill {
  readonly onlyOne: number;
  readonly onlyTwo: number;
  readonly count: number;
  /** Load of the first i classes on the first type; of those from i on on the second. */
  readonly first: Float64Array;
  private readonly second: Float64Array;
  private readonly order: Int32Array;
  private readonly loads: Float64Array;
  private at = 0;
  private part = 0;

  constructor({ classes }: Program, loads: Float64Array) {
    this.loads = loads;
    this.order = new Int32Array(classes);
    const ratio = new Float64Array(classes);
    let [count, onlyOne, onlyTwo] = [0, 0, 0];
    for (let c = 0; c < classes; c++) {
      const one = loads[2 * c]!;
      const two = loads[2 * c + 1]!;
      if (two === Number.POSITIVE_INFINITY) onlyOne += one;
      else if (one === Number.POSITIVE_INFINITY) onlyTwo += two;
      else {
        ratio[c] = two / one;
        this.order[count++] = c;
      }
    }
    [this.count, this.onlyOne, this.onlyTwo] = [count, onlyOne, onlyTwo];
    sortFalling(this.order.subarray(0, count), ratio);
    this.first = new Float64Array(count + 1);
    this.second = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) this.first[i + 1] = this.first[i]! + loads[2 * this.order[i]!]!;
    for (let i = count - 1; i >= 0; i--) this.second[i] = this.second[i + 1]! + loads[2 * this.order[i]! + 1]!;
  }

  /** How many classes gain more on the first type than it costs, by the ratio of the prices. */
  balanced(ratio: number): number {
    let i = 0;
    while (i < this.count && this.loads[2 * this.order[i]! + 1]! > ratio * this.loads[2 * this.order[i]!]!) i++;
    return i;
  }

  /** Load left for the second type with y of the first. */
  rest(y: number): number {
    this.seek(y);
    if (this.at === this.count) return this.onlyTwo;
    return this.onlyTwo + this.second[this.at + 1]! + (1 - this.part) * this.loads[2 * this.order[this.at]! + 1]!;
  }

  assignment(y: number): Float64Array {
    const { loads, order, count } = this;
    this.seek(y);
    const assignment = new Float64Array(loads.length);
    for (let at = 0; at < loads.length; at += 2) assignment[loads[at + 1] === Number.POSITIVE_INFINITY ? at : at + 1] = 1;
    for (let i = 0; i < count; i++) {
      const share = i < this.at ? 1 : i === this.at ? this.part : 0;
      assignment[2 * order[i]!] = share;
      assignment[2 * order[i]! + 1] = 1 - share;
    }
    return assignment;
  }

  /** Finds the class at which y of the first type is full, and the share of it that fits; a share of nearly 1 is all. */
  private seek(y: number): void {
    const { first, count } = this;
    const room = y - this.onlyOne;
    let { at } = this;
    while (at > 0 && first[at]! > room) at--;
    while (at < count && first[at + 1]! * (1 - wholeTolerance) <= room) at++;
    this.at = at;
    this.part = at === count ? 0 : Math.max(0, (room - first[at]!) / (first[at + 1]! - first[at]!));
  }
}

/** Sorts classes by falling ratio, equal ones by number; by insertion while there are few. */
const sortFalling = (order: Int32Array, ratio: Float64Array): void => {
  if (order.length > 100) {
    order.sort((a, b) => ratio[b]! - ratio[a]! || a - b);
    return;
  }
  for (let i = 1; i < order.length; i++) {
    const c = order[i]!;
    let at = i;
    for (; at > 0 && ratio[order[at - 1]!]! < ratio[c]!; at--) order[at] = order[at - 1]!;
    order[at] = c;
  }
};
