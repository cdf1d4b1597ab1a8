import type { Column } from './partial-choices.ts';
import { emptyChoice, lexicalOrder, type PartialChoice, PartialChoices } from './partial-choices.ts';
import { boundlessWork, poolWork, stateWork, stepWork, type WorkBudget } from './work-budget.ts';

export interface Choice {
  /** One column per model. */
  readonly columns: readonly Column[];
  readonly cost: number;
}

/** What the choice found, and the least excess among what it had to drop for want of room (Infinity = nothing). */
export interface Chosen {
  readonly choice: Choice | null;
  readonly dropped: number;
}

/** Pairs of states that are looked at for each state that may be kept. */
const pairsPerState = 1_000;
/** States that are kept once the work is done. */
const lastStates = 4;
/** What the sum of all costs, taken in another order, may differ by (share of it). */
const sumNoise = 1e-12;

/**
 * One column per model within the stock, at the least cost: a dynamic program over the models, state = stock used, from both
 * ends at once. Each half of the models makes its own states; then every state of the one seeks partners in the other.
 *
 * With prices w of the stock, bound = sum over models of min (cost + w . use) - w . stock, and for any choice
 *
 *   cost - bound = sum of reduced + w . (stock - use),  both terms at least 0:
 *
 * states whose reduced cost so far, with the stock that they must leave unused, exceeds `excess` are dropped. Every choice
 * within `excess` of the bound is seen. Columns come in order of reduced cost. Ties go to fewer changes, then to more
 * replicas of the variant that comes first.
 */
export const choose = (
  columns: readonly (readonly Column[])[],
  stock: readonly number[],
  poolPrices: Float64Array,
  excess: number,
  mostStates: number,
  work: WorkBudget = boundlessWork,
): Chosen => {
  if (columns.some((list) => list.length === 0)) return { choice: null, dropped: Number.POSITIVE_INFINITY };
  const order = columns.map((_, m) => m).sort((a, b) => columns[a]!.length - columns[b]!.length || a - b);
  const halves = [0, 1].map((side) => order.filter((_, i) => i % 2 === side));
  const same = sumNoise * columns.reduce((sum, list) => sum + list[0]!.cost, 0);
  const limits = { stock, poolPrices, excess, mostStates, same, work };
  const [one, other] = halves.map((half, side) => reachable(columns, half, halves[1 - side]!, limits));
  const both = join(one!, other!, columns.length, limits);
  return { choice: both.choice, dropped: Math.min(one!.dropped, other!.dropped, both.dropped) };
};

interface Limits {
  readonly stock: readonly number[];
  readonly poolPrices: Float64Array;
  readonly excess: number;
  readonly mostStates: number;
  readonly same: number;
  readonly work: WorkBudget;
}

/** What one half of the models can use of the stock. */
interface Half {
  readonly order: readonly number[];
  /** In order of value. */
  readonly states: readonly PartialChoice[];
  readonly dropped: number;
}

const reachable = (
  columns: readonly (readonly Column[])[],
  order: readonly number[],
  others: readonly number[],
  limits: Limits,
): Half => {
  const { stock, poolPrices, excess, mostStates, same, work } = limits;
  const rest = suffixes(
    [...order, ...others].map((m) => columns[m]!),
    stock.length,
  );
  for (const list of columns) work.charge(2 * poolWork * list.length * stock.length);
  let dropped = Number.POSITIVE_INFINITY;
  let states: PartialChoice[] = [emptyChoice(stock.length)];
  for (const [step, m] of order.entries()) {
    const reached = new PartialChoices(order.slice(0, step + 1), same);
    for (const state of states)
      for (const column of columns[m]!) {
        const value = state.value + column.reduced;
        if (value > excess) break;
        const promise = value + unused(state.use, column.use, stock, poolPrices, rest[step + 1]!);
        if (promise <= excess) reached.add(state, column, value, promise);
      }
    work.charge(stepWork * states.length * columns[m]!.length + stateWork * reached.list.length);
    states = reached.list;
    const room = work.spent ? Math.min(lastStates, mostStates) : mostStates;
    if (states.length > room) {
      states.sort((a, b) => a.promise - b.promise);
      dropped = Math.min(dropped, states[room]!.promise);
      states.length = room;
    }
  }
  return { order, states: states.sort((a, b) => a.value - b.value), dropped };
};

/**
 * The best pair of states within the stock. Where one GPU left over is worth more than the excess, all of the pool must be
 * used: partners are looked up by their use of these pools.
 */
const join = (one: Half, other: Half, models: number, limits: Limits): Chosen => {
  const { stock, poolPrices, excess, mostStates, same, work } = limits;
  const exact = [...poolPrices.keys()].filter((k) => poolPrices[k]! > excess);
  const key = (use: (k: number) => number) => exact.reduce((hash, k) => (Math.imul(hash, 0x01000193) ^ use(k)) >>> 0, 0);
  const partners = new Map<number, PartialChoice[]>();
  for (const state of other.states) {
    const at = key((k) => state.use[k]!);
    const list = partners.get(at);
    if (list === undefined) partners.set(at, [state]);
    else list.push(state);
  }
  let best: { pair: readonly [PartialChoice, PartialChoice]; cost: number; value: number } | null = null;
  let pairs = 0;
  for (const a of one.states) {
    if (pairs > pairsPerState * mostStates || (best !== null && work.spent))
      return { choice: best && chosen(one, other, best, models), dropped: a.value };
    const before = pairs;
    for (const b of partners.get(key((k) => stock[k]! - a.use[k]!)) ?? []) {
      pairs++;
      if (a.value + b.value > Math.min(excess, best === null ? excess : best.value + 2 * same)) break;
      const value = a.value + b.value + leftOver(a.use, b.use, stock, poolPrices);
      const cost = a.cost + b.cost;
      if (!(value <= excess) || (best !== null && cost > best.cost + 10 * same)) continue;
      const found = { pair: [a, b] as const, cost, value };
      if (best === null || cost < best.cost - 10 * same || better(one, other, found, best, models)) best = found;
    }
    work.charge(stepWork * (1 + pairs - before));
  }
  return { choice: best && chosen(one, other, best, models), dropped: Number.POSITIVE_INFINITY };
};

/** Worth of the stock that two halves leave unused; NaN where they use more than there is. */
const leftOver = (a: Float64Array, b: Float64Array, stock: readonly number[], poolPrices: Float64Array): number => {
  let worth = 0;
  for (let k = 0; k < a.length; k++) {
    const left = stock[k]! - a[k]! - b[k]!;
    if (left < 0) return Number.NaN;
    worth += poolPrices[k]! * left;
  }
  return worth;
};

interface Pair {
  readonly pair: readonly [PartialChoice, PartialChoice];
  readonly cost: number;
}

/** Whether the first of two pairs of the same cost is preferred. */
const better = (one: Half, other: Half, first: Pair, second: Pair, models: number): boolean => {
  const changes = ({ pair: [a, b] }: Pair) => a.changes + b.changes;
  if (changes(first) !== changes(second)) return changes(first) < changes(second);
  const [own, known] = [chosen(one, other, first, models).columns, chosen(one, other, second, models).columns];
  const apart = own.map(({ mix }, m) => lexicalOrder(mix, known[m]!.mix)).find((difference) => difference !== 0);
  return apart !== undefined && apart < 0;
};

const chosen = (one: Half, other: Half, { pair: [a, b], cost }: Pair, models: number): Choice => {
  const columns = new Array<Column>(models);
  for (const [{ order }, last] of [[one, a] as const, [other, b] as const]) {
    let at = last;
    for (const m of [...order].reverse()) {
      columns[m] = at.column!;
      at = at.before!;
    }
  }
  return { columns, cost };
};

/** Least and most that the models from a step on use of each pool. */
interface Rest {
  readonly least: Float64Array;
  readonly most: Float64Array;
}

const suffixes = (lists: readonly (readonly Column[])[], pools: number): Rest[] => {
  const rest: Rest[] = [{ least: new Float64Array(pools), most: new Float64Array(pools) }];
  for (const list of [...lists].reverse()) {
    const { least, most } = rest[0]!;
    rest.unshift({
      least: least.map((gpus, k) => gpus + list.reduce((few, { use }) => Math.min(few, use[k]!), Number.POSITIVE_INFINITY)),
      most: most.map((gpus, k) => gpus + list.reduce((many, { use }) => Math.max(many, use[k]!), 0)),
    });
  }
  return rest;
};

/** Worth of the stock that stays unused whatever the other models take; NaN where they must take too much. */
const unused = (
  use: Float64Array,
  more: readonly number[],
  stock: readonly number[],
  poolPrices: Float64Array,
  { least, most }: Rest,
): number => {
  let worth = 0;
  for (let k = 0; k < use.length; k++) {
    const left = stock[k]! - use[k]! - more[k]!;
    if (least[k]! > left) return Number.NaN;
    if (left > most[k]!) worth += poolPrices[k]! * (left - most[k]!);
  }
  return worth;
};
