import { atUpper, basic, type Forest } from './price-forest.ts';

/** A load may be off a bound by this share of it, by rounding alone. */
export const loadNoise = 1e-13;
/** What is left of a class once its shares are given away sums but a few numbers up to 1. */
const shareNoise = 1e-14;

/** The primal side of a forest, recomputed for every iteration: nothing drifts. */
export class Shares {
  /** Types from the roots down, and how many were reached. */
  readonly order: Int16Array;
  /** Splits from the roots down. */
  readonly splitOrder: Int16Array;
  /** Split above a type (-1 = it is a root); type above a split. */
  readonly above: Int16Array;
  readonly parent: Int16Array;
  /** Load a type carries (replicas), without its share of the split above it. */
  readonly need: Float64Array;
  /** Share of split k on a type below it, split x type; share left for the type above it. */
  readonly share: Float64Array;
  readonly rest: Float64Array;

  constructor(types: number) {
    this.order = new Int16Array(types);
    this.splitOrder = new Int16Array(types);
    this.above = new Int16Array(types);
    this.parent = new Int16Array(types);
    this.need = new Float64Array(types);
    this.share = new Float64Array(types * types);
    this.rest = new Float64Array(types);
  }

  update(forest: Forest, loads: Float64Array, lower: Float64Array, upper: Float64Array): void {
    this.orient(forest);
    const { types, classes, server, splits, splitClass, status, member } = forest;
    const { splitOrder, parent, need, share, rest } = this;
    need.fill(0);
    for (let c = 0, at = 0; c < classes; c++, at += types) {
      const g = server[c]!;
      if (g >= 0) need[g]! += loads[at + g]!;
    }
    for (let i = splits - 1; i >= 0; i--) {
      const k = splitOrder[i]!;
      const at = splitClass[k]! * types;
      const over = parent[k]!;
      let left = 1;
      for (let g = 0; g < types; g++) {
        if (member[k * types + g] === 0 || g === over) continue;
        const replicas = status[g] === atUpper ? upper[g]! : lower[g]!;
        let free = replicas - need[g]!;
        if (Math.abs(free) <= loadNoise * replicas) free = 0;
        const taken = free / loads[at + g]!;
        share[k * types + g] = taken;
        left -= taken;
      }
      if (Math.abs(left) < shareNoise) left = 0;
      rest[k] = left;
      need[over]! += left * loads[at + over]!;
    }
  }

  /** Breadth first from the roots. */
  private orient({ types, splits, status, member }: Forest): void {
    const { order, splitOrder, above, parent } = this;
    let reached = 0;
    let reachedSplits = 0;
    for (let g = 0; g < types; g++) {
      above[g] = -1;
      if (status[g]! >= basic) order[reached++] = g;
    }
    for (let k = 0; k < splits; k++) parent[k] = -1;
    for (let i = 0; i < reached; i++) {
      const g = order[i]!;
      for (let k = 0; k < splits; k++) {
        if (parent[k] !== -1 || member[k * types + g] === 0) continue;
        parent[k] = g;
        splitOrder[reachedSplits++] = k;
        for (let h = 0; h < types; h++) {
          if (h === g || member[k * types + h] === 0) continue;
          above[h] = k;
          order[reached++] = h;
        }
      }
    }
    if (reached !== types) throw new Error('price forest lost a root');
  }
}
