/** What a type's y or slack is in a basis. A root has `basic` or `slack`; every other type is at a bound. */
export const atLower = 0;
export const atUpper = 1;
/** y itself is basic: pi = price, the type buys as many replicas as its load needs. */
export const basic = 2;
/** The slack of C2 is basic: y = lower, some of it unused, pi as good as 0. */
export const slack = 3;

/**
 * A basis of the relaxation as a price forest.
 *
 * A class is served by one type, or it is split: its price is the same on several types. Types and split classes are the
 * nodes of a forest, a split class being linked to each type it ties; no cycles, as a basis has as many variables as
 * rows. Each tree has one root type, whose y or slack is basic; the y of the others is at a bound. So prices are fixed
 * from the root down (pi_g load_cg = pi_h load_ch along a tie), and shares from the leaves up: a type whose y is given
 * takes of the split class above it what its other load leaves free.
 */
export class Forest {
  readonly types: number;
  readonly classes: number;
  /** pi, price of one replica's capacity (money/h), per type. */
  readonly pi: Float64Array;
  readonly status: Uint8Array;
  /** Per class the type that serves it, or -1 - k for split k. */
  readonly server: Int16Array;
  splits = 0;
  /** What the classes pay at pi, sum_c min_g pi_g load_cg, as far as the steps taken say (money/h). */
  classValue = 0;
  /** Class of split k. */
  readonly splitClass: Int32Array;
  /** 1 where split k ties type g, split x type, row-major. */
  readonly member: Uint8Array;

  constructor(types: number, classes: number) {
    this.types = types;
    this.classes = classes;
    this.pi = new Float64Array(types);
    this.status = new Uint8Array(types);
    this.server = new Int16Array(classes);
    this.splitClass = new Int32Array(types);
    this.member = new Uint8Array(types * types);
  }

  /** Every type its own root at pi = price, every class where it is cheapest: optimal where no bound binds. */
  start(prices: Float64Array, loads: Float64Array): void {
    const { types, classes } = this;
    this.pi.set(prices);
    this.status.fill(basic);
    this.splits = 0;
    this.member.fill(0);
    this.classValue = 0;
    for (let c = 0, at = 0; c < classes; c++) {
      let cheapest = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let g = 0; g < types; g++, at++) {
        const price = prices[g]! * loads[at]!;
        if (price < least) {
          cheapest = g;
          least = price;
        }
      }
      this.server[c] = cheapest;
      this.classValue += least;
    }
  }

  copyFrom(other: Forest): void {
    this.pi.set(other.pi);
    this.status.set(other.status);
    this.server.set(other.server);
    this.splits = other.splits;
    this.classValue = other.classValue;
    this.splitClass.set(other.splitClass);
    this.member.set(other.member);
  }

  /** Class c, served by one type so far, ties with another. */
  split(c: number, first: number, second: number): void {
    const k = this.splits++;
    this.splitClass[k] = c;
    this.server[c] = -1 - k;
    this.member[k * this.types + first] = 1;
    this.member[k * this.types + second] = 1;
  }

  /** Type g leaves split k; a split of one type is no split. */
  leave(k: number, g: number): void {
    const { types, member } = this;
    member[k * types + g] = 0;
    let [left, last] = [0, 0];
    for (let h = 0; h < types; h++) if (member[k * types + h] === 1) [left, last] = [left + 1, h];
    if (left > 1) return;
    this.server[this.splitClass[k]!] = last;
    const moved = --this.splits;
    if (moved !== k) {
      this.splitClass[k] = this.splitClass[moved]!;
      this.server[this.splitClass[k]!] = -1 - k;
      for (let h = 0; h < types; h++) member[k * types + h] = member[moved * types + h]!;
    }
    for (let h = 0; h < types; h++) member[moved * types + h] = 0;
  }
}
