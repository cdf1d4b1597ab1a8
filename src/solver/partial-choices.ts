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

/** What some models, one after the other, have chosen: the last one's column, and the state before it. */
export interface PartialChoice {
  /** GPUs of each pool. */
  readonly use: Float64Array;
  /** Sum of the columns' reduced costs, and with what the stock that is left over for sure is worth (money/h). */
  readonly value: number;
  readonly promise: number;
  readonly cost: number;
  readonly changes: number;
  readonly column: Column | null;
  readonly before: PartialChoice | null;
}

export const emptyChoice = (pools: number): PartialChoice => ({
  ...{ use: new Float64Array(pools), value: 0, promise: 0, cost: 0, changes: 0, column: null, before: null },
});

/** The best state for each use of the stock, found by a hash of the use. */
export class PartialChoices {
  readonly list: PartialChoice[] = [];
  private readonly order: readonly number[];
  private readonly same: number;
  private readonly places = new Map<number, number>();

  /** @param order models in the order of their steps @param same values this close are the same (money/h) */
  constructor(order: readonly number[], same: number) {
    this.order = order;
    this.same = same;
  }

  add(before: PartialChoice, column: Column, value: number, promise: number): void {
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

const next = (before: PartialChoice, column: Column, value: number, promise: number): PartialChoice => ({
  use: before.use.map((gpus, k) => gpus + column.use[k]!),
  value,
  promise,
  cost: before.cost + column.cost,
  changes: before.changes + column.changes,
  column,
  before,
});

const sameUse = (known: Float64Array, use: Float64Array, more: readonly number[]): boolean => {
  for (let k = 0; k < use.length; k++) if (known[k] !== use[k]! + more[k]!) return false;
  return true;
};

/** Whether the first of two ways to the same use is preferred. Walks back to where the two part. */
const preferred = (a: PartialChoice, b: PartialChoice, order: readonly number[]): boolean => {
  if (a.changes !== b.changes) return a.changes < b.changes;
  let [first, difference] = [Number.POSITIVE_INFINITY, 0];
  let [one, other]: [PartialChoice | null, PartialChoice | null] = [a, b];
  for (let step = order.length - 1; one !== other && one !== null && other !== null; step--) {
    if (order[step]! < first && one.column !== other.column) {
      const apart = lexicalOrder(one.column!.mix, other.column!.mix);
      if (apart !== 0) [first, difference] = [order[step]!, apart];
    }
    [one, other] = [one.before, other.before];
  }
  return difference < 0;
};

/** Negative where the first mix has more replicas of the first variant in which they differ. */
export const lexicalOrder = (a: Float64Array, b: Float64Array): number => {
  for (let g = 0; g < a.length; g++) if (a[g] !== b[g]) return b[g]! - a[g]!;
  return 0;
};
