/** One whole mix of one model as the choice sees it. */
export interface Column {
  readonly mix: Float64Array;
  /** Money/h. */
  readonly cost: number;
  /** GPUs of each pool. */
  readonly use: readonly number[];
  /** Replicas that it starts or stops. */
  readonly changes: number;
  /** What it costs more than the model's best mix, at the prices of common stock (money/h). */
  readonly reduced: number;
}

export interface Choice {
  /** One column per model. */
  readonly columns: readonly Column[];
  readonly cost: number;
}

/** What the dynamic program found, and the least excess among what it had to drop for want of room (Infinity = nothing). */
export interface Chosen {
  readonly choice: Choice | null;
  readonly dropped: number;
}

/** The models chosen so far, the last one's column, and the state before it. */
interface State {
  readonly use: Float64Array;
  readonly value: number;
  /** The value with what the stock left over for sure is worth. */
  readonly promise: number;
  readonly changes: number;
  readonly column: Column | null;
  readonly before: State | null;
}

/**
 * One column per model within the stock, at the least cost: a dynamic program over the models, state = stock used.
 *
 * With prices lambda of the stock, bound = sum over models of min (cost + lambda . use) - lambda . stock, and for any choice
 *
 *   cost - bound = sum of reduced + lambda . (stock - use),  both terms at least 0:
 *
 * states whose reduced cost so far, with the stock that they must leave unused, exceeds `excess` are dropped. Every choice
 * within `excess` of the bound is seen. Columns come in order of reduced cost. Ties go to fewer changes, then to more
 * replicas of the variant that comes first.
 */
export const choose = (
  columns: readonly (readonly Column[])[],
  stock: readonly number[],
  lambda: Float64Array,
  excess: number,
  mostStates: number,
): Chosen => {
  if (columns.some((list) => list.length === 0)) return { choice: null, dropped: Number.POSITIVE_INFINITY };
  const order = columns.map((_, m) => m).sort((a, b) => columns[a]!.length - columns[b]!.length || a - b);
  const rest = suffixes(
    order.map((m) => columns[m]!),
    stock.length,
  );
  const same = 1e-12 * columns.reduce((sum, list) => sum + list[0]!.cost, 0);
  const start = { use: new Float64Array(stock.length), value: 0, promise: 0, changes: 0, column: null, before: null };
  let dropped = Number.POSITIVE_INFINITY;
  let states: State[] = [start];
  for (const [step, m] of order.entries()) {
    const reached = new States(order.slice(0, step + 1), same);
    for (const state of states)
      for (const column of columns[m]!) {
        const value = state.value + column.reduced;
        if (value > excess) break;
        const promise = value + unused(state.use, column.use, stock, lambda, rest[step + 1]!);
        if (promise <= excess) reached.add(state, column, value, promise);
      }
    states = reached.list;
    if (states.length > mostStates) {
      states.sort((a, b) => a.promise - b.promise);
      dropped = Math.min(dropped, states[mostStates]!.promise);
      states.length = mostStates;
    }
  }
  return { choice: cheapest(states, order), dropped };
};

/** The best state for each use of the stock, found by a hash of the use. */
class States {
  readonly list: State[] = [];
  private readonly order: readonly number[];
  private readonly same: number;
  private readonly places = new Map<number, number>();

  constructor(order: readonly number[], same: number) {
    this.order = order;
    this.same = same;
  }

  add(before: State, column: Column, value: number, promise: number): void {
    const { use } = before;
    let hash = 0;
    for (let k = 0; k < use.length; k++) hash = (Math.imul(hash, 0x01000193) ^ (use[k]! + column.use[k]!)) >>> 0;
    for (;;) {
      const place = this.places.get(hash);
      if (place === undefined) {
        this.places.set(hash, this.list.length);
        this.list.push(next(before, column, value, promise));
        return;
      }
      const known = this.list[place]!;
      if (sameUse(known.use, use, column.use)) {
        if (value > known.value + this.same) return;
        const state = next(before, column, value, promise);
        if (value < known.value - this.same || preferred(state, known, this.order)) this.list[place] = state;
        return;
      }
      hash++;
    }
  }
}

const next = (before: State, column: Column, value: number, promise: number): State => ({
  use: before.use.map((gpus, k) => gpus + column.use[k]!),
  value,
  promise,
  changes: before.changes + column.changes,
  column,
  before,
});

const sameUse = (known: Float64Array, use: Float64Array, more: readonly number[]): boolean => {
  for (let k = 0; k < use.length; k++) if (known[k] !== use[k]! + more[k]!) return false;
  return true;
};

/** Whether the first of two ways to the same point is preferred. Walks back to where the two part. */
const preferred = (a: State, b: State, order: readonly number[]): boolean => {
  if (a.changes !== b.changes) return a.changes < b.changes;
  let [first, difference] = [Number.POSITIVE_INFINITY, 0];
  let [one, other]: [State | null, State | null] = [a, b];
  for (let step = order.length - 1; one !== other && one !== null && other !== null; step--) {
    if (order[step]! < first && one.column !== other.column) {
      const apart = lexical(one.column!.mix, other.column!.mix);
      if (apart !== 0) [first, difference] = [order[step]!, apart];
    }
    [one, other] = [one.before, other.before];
  }
  return difference < 0;
};

/** Negative where the first mix has more replicas of the first variant in which they differ. */
const lexical = (a: Float64Array, b: Float64Array): number => {
  for (let g = 0; g < a.length; g++) if (a[g] !== b[g]) return b[g]! - a[g]!;
  return 0;
};

const cheapest = (states: readonly State[], order: readonly number[]): Choice | null => {
  let best: { state: State; cost: number } | null = null;
  for (const state of states) {
    let cost = 0;
    for (let at = state; at.before !== null; at = at.before) cost += at.column!.cost;
    const same = 1e-11 * cost;
    if (best === null || cost < best.cost - same || (cost <= best.cost + same && preferred(state, best.state, order)))
      best = { state, cost };
  }
  if (best === null) return null;
  const columns = new Array<Column>(order.length);
  let at = best.state;
  for (const m of [...order].reverse()) {
    columns[m] = at.column!;
    at = at.before!;
  }
  return { columns, cost: best.cost };
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
      least: least.map(
        (gpus, k) => gpus + list.reduce((few, { use }) => Math.min(few, use[k]!), Number.POSITIVE_INFINITY),
      ),
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
  lambda: Float64Array,
  { least, most }: Rest,
): number => {
  let worth = 0;
  for (let k = 0; k < use.length; k++) {
    const left = stock[k]! - use[k]! - more[k]!;
    if (least[k]! > left) return Number.NaN;
    if (left > most[k]!) worth += lambda[k]! * (left - most[k]!);
  }
  return worth;
};
