import { CapacityCuts, type Cut, type Service } from './capacity-cuts.ts';
import { DenseSimplex } from './dense-simplex.ts';
import { type Fleet, type FleetModel, preference, type Way } from './fleet.ts';

/**
 * What is minimised over all models' replicas y and the share u of the demand that each model leaves unserved, and what
 * else must hold.
 */
export interface Goal {
  /** Weight of a replica of each variant (models one after the other), and of each model's unserved share. */
  readonly replicas: readonly number[];
  readonly unserved: readonly number[];
  /** Most unserved share per model, and per group of models. */
  readonly most: readonly number[];
  readonly groups: readonly { readonly models: readonly number[]; readonly most: number }[];
  /** Values this close are the same (absolute). */
  readonly same: number;
  /** Whether mixes of the same value are told apart by preference. */
  readonly ties: boolean;
}

export interface JointResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'unknown';
  /** One mix per model; null without one. */
  readonly mixes: readonly Float64Array[] | null;
  readonly value: number;
  readonly bound: number;
  readonly nodes: number;
}

/** An unserved share below this is rounding. */
export const negligible = 1e-9;
const fractionTolerance = 1e-7;
const cutRounds = 200;
const tieLimit = 400;

/**
 * The program of all models at once, seen from the replicas only:
 *
 *   minimise  weights . (y, u)   with  J1  u_m >= unserved share of model m with its y_m  (convex: by cuts, as they are met)
 *                                      J2  sum of gpus y <= stock per pool,  price . y <= budget,  J3  the goal's limits on u
 *
 * branched on fractional y, and on the way of a model that has several, once its y is whole and no way serves what the
 * cuts promise. Slower than the special cases, but it takes any limit; best effort needs that.
 */
export class Joint {
  readonly fleet: Fleet;
  readonly totals: readonly number[];
  private readonly firstVariant: number[];
  private readonly size: number;
  private readonly oracles: (CapacityCuts | undefined)[][];
  private readonly cuts: Cut[][][];
  nodes = 0;

  /** @param totals what a model's unserved req/s are divided by, to give its share */
  constructor(fleet: Fleet, totals: readonly number[]) {
    this.fleet = fleet;
    this.totals = totals;
    this.firstVariant = [];
    this.size = fleet.models.reduce((sum, { variants }) => {
      this.firstVariant.push(sum);
      return sum + variants.length;
    }, 0);
    this.oracles = fleet.models.map(() => []);
    this.cuts = fleet.models.map(({ ways }) => Array.from({ length: ways.length + 1 }, () => []));
  }

  solve(goal: Goal, nodeLimit: number, known: readonly Float64Array[] | null): JointResult {
    return new Search(this, goal, nodeLimit, known).run();
  }

  /** Where model m's variants start among all. */
  first(m: number): number {
    return this.firstVariant[m]!;
  }
  get variants(): number {
    return this.size;
  }

  /**
   * What model m serves with some replicas in one way. Way -1 stands for a model with several of them whose way is not
   * chosen yet: it serves at least as much as any.
   */
  service(m: number, way: number, replicas: ArrayLike<number>): Service {
    const model = this.fleet.models[m]!;
    if (model.rates.length === 0) return nothing;
    const slot = model.ways.length === 1 ? 0 : way + 1;
    this.oracles[m]![slot] ??= new CapacityCuts(
      way < 0 && model.ways.length > 1 ? easiest(model) : model.ways[Math.max(0, way)]!.loads,
      model.rates,
    );
    return this.oracles[m]![slot]!.at(replicas);
  }

  keep(m: number, way: number, cut: Cut): void {
    this.cuts[m]![this.fleet.models[m]!.ways.length === 1 ? 0 : way + 1]!.push(cut);
  }

  /** Cuts met so far that hold for a model in that way. */
  known(m: number, way: number): readonly Cut[] {
    const slots = this.cuts[m]!;
    return this.fleet.models[m]!.ways.length === 1 || way < 0 ? slots[0]! : [...slots[0]!, ...slots[way + 1]!];
  }

  /** The way that serves the most with whole replicas; null where the floors allow none. */
  bestWay(m: number, replicas: ArrayLike<number>): { readonly way: number; readonly service: Service } | null {
    let best: { way: number; service: Service } | null = null;
    this.fleet.models[m]!.ways.forEach(({ open }, way) => {
      if (open.some((may, g) => may === 0 && replicas[g]! > 0)) return;
      const service = this.service(m, way, replicas);
      if (best === null || service.unserved < best.service.unserved) best = { way, service };
    });
    return best;
  }

  /** Share of each class on each variant, class x variant, at the best way; null where no way exists. */
  assignment(
    m: number,
    replicas: ArrayLike<number>,
  ): { readonly assignment: Float64Array; readonly served: Float64Array; readonly way: number } | null {
    const best = this.bestWay(m, replicas);
    if (best === null) return null;
    const { served } = this.service(m, best.way, replicas);
    if (served.length === 0) return { assignment: new Float64Array(), served, way: best.way };
    const slot = this.fleet.models[m]!.ways.length === 1 ? 0 : best.way + 1;
    return { assignment: this.oracles[m]![slot]!.assignment(), served, way: best.way };
  }
}

const nothing: Service = {
  unserved: 0,
  served: new Float64Array(),
  cut: { constant: 0, slopes: new Float64Array() },
};

/** Per class and variant the least load over all ways: no way serves more. */
const easiest = ({ ways }: FleetModel): Float64Array =>
  ways[0]!.loads.map((_, at) => Math.min(...ways.map(({ loads }) => loads[at]!)));

class Search {
  private readonly joint: Joint;
  private readonly goal: Goal;
  private readonly nodeLimit: number;
  private mixes: Float64Array[] | null = null;
  private value = Number.POSITIVE_INFINITY;
  private open = Number.POSITIVE_INFINITY;
  private nodes = 0;
  private tieNodes = 0;

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
    this.joint.nodes += this.nodes;
    const { mixes, value, nodes } = this;
    const bound = Math.min(this.open, value);
    if (mixes === null) return { status: this.open < value ? 'unknown' : 'infeasible', mixes, value, bound, nodes };
    return { status: bound >= value - this.same() ? 'optimal' : 'feasible', mixes, value, bound, nodes };
  }

  private same(): number {
    return this.goal.same + (this.goal.ties && this.value < Number.POSITIVE_INFINITY ? 1e-9 * this.value : 0);
  }
  private cutoff(): number {
    if (this.value === Number.POSITIVE_INFINITY) return this.value;
    return this.value + (this.goal.ties && this.tieNodes < tieLimit ? this.same() : -this.same());
  }

  /** One linear program per choice of ways; inside it only bounds change. */
  private searchWays(ways: readonly number[], lower: readonly number[], upper: readonly number[], bound: number): void {
    const { goal, joint } = this;
    const { models, stock, budget } = joint.fleet;
    const simplex = new DenseSimplex(
      [...goal.replicas, ...goal.unserved],
      [...lower, ...models.map(() => 0)],
      [...upper, ...goal.most],
    );
    const variants = models.flatMap((model) => model.variants);
    const none = models.map(() => 0);
    stock.forEach((gpus, pool) => {
      const row = variants.map((variant) => (variant.pool === pool ? variant.gpus : 0));
      if (row.some((use) => use > 0)) simplex.addRow([...row, ...none], Number.NEGATIVE_INFINITY, gpus);
    });
    if (budget < Number.POSITIVE_INFINITY) {
      const row = variants.map(({ price }) => price / Math.max(1, budget));
      simplex.addRow([...row, ...none], Number.NEGATIVE_INFINITY, budget / Math.max(1, budget));
    }
    for (const group of goal.groups)
      simplex.addRow(
        [...variants.map(() => 0), ...models.map((_, m) => (group.models.includes(m) ? 1 : 0))],
        Number.NEGATIVE_INFINITY,
        group.most,
      );
    ways.forEach((way, m) => {
      for (const cut of joint.known(m, way)) this.addCut(simplex, m, cut);
    });
    this.visit(simplex, ways, bound);
  }

  private addCut(simplex: DenseSimplex, m: number, { constant, slopes }: Cut): void {
    const { joint } = this;
    const total = joint.totals[m]!;
    const row = new Array<number>(joint.variants + joint.fleet.models.length).fill(0);
    let right = constant / total;
    const steepest = Math.max(...slopes) / total;
    slopes.forEach((slope, g) => {
      const at = joint.first(m) + g;
      if (slope / total > 1e-9 * steepest) row[at] = slope / total;
      else right -= (slope / total) * simplex.upper[at]!;
    });
    row[joint.variants + m] = 1;
    simplex.addRow(row, right, Number.POSITIVE_INFINITY);
  }

  private visit(simplex: DenseSimplex, ways: readonly number[], parentBound: number): void {
    if (this.nodes >= this.nodeLimit) {
      if (parentBound <= this.value - this.same()) this.open = Math.min(this.open, parentBound);
      return;
    }
    this.nodes++;
    const solved = this.separate(simplex, ways);
    if (solved === null || solved.value > this.cutoff()) return;
    const bound = Math.max(parentBound, solved.value);
    if (bound > this.value - this.same()) this.tieNodes++;
    const branching = this.fractional(solved.v);
    this.offerRounded(solved.v);
    if (bound > this.cutoff()) return;
    if (branching >= 0) this.divide(simplex, ways, bound, branching, Math.floor(solved.v[branching]!), 1);
    else this.settle(simplex, ways, bound, solved.v);
  }

  /** Adds violated cuts until there is none. */
  private separate(simplex: DenseSimplex, ways: readonly number[]): { value: number; v: Float64Array } | null {
    const { joint } = this;
    for (let round = 0; ; round++) {
      const solved = simplex.solve();
      if (solved === null || solved.value > this.cutoff() || round === cutRounds) return solved;
      let added = false;
      ways.forEach((way, m) => {
        const first = joint.first(m);
        const replicas = solved.v.slice(first, first + joint.fleet.models[m]!.variants.length).map((y) => snapped(y));
        const { unserved, cut } = joint.service(m, way, replicas);
        const promised = solved.v[joint.variants + m]!;
        if (unserved / joint.totals[m]! <= promised + negligible) return;
        joint.keep(m, way, cut);
        this.addCut(simplex, m, cut);
        added = true;
      });
      if (!added) return solved;
    }
  }

  private fractional(v: Float64Array): number {
    let [worst, at] = [fractionTolerance, -1];
    for (let i = 0; i < this.joint.variants; i++) {
      const distance = Math.abs(v[i]! - Math.round(v[i]!));
      if (distance > worst) [worst, at] = [distance, i];
    }
    return at;
  }

  /** Children y <= floor and y >= floor + gap. */
  private divide(
    simplex: DenseSimplex,
    ways: readonly number[],
    bound: number,
    i: number,
    floor: number,
    gap: number,
  ): void {
    const [least, most] = [simplex.lower[i]!, simplex.upper[i]!];
    for (const up of [true, false]) {
      if (up ? floor + gap > most : floor < least) continue;
      if (up) simplex.lower[i] = floor + gap;
      else simplex.upper[i] = floor;
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
    const open = ways.findIndex((way, m) => {
      if (way >= 0) return false;
      const best = joint.bestWay(m, mixes[m]!);
      return best === null || best.service.unserved / joint.totals[m]! > v[joint.variants + m]! + negligible;
    });
    if (open >= 0) {
      models[open]!.ways.forEach((way, w) => {
        const [lower, upper] = [simplex.lower.slice(0, joint.variants), simplex.upper.slice(0, joint.variants)];
        if (close(way, joint.first(open), lower, upper))
          this.searchWays(
            ways.map((chosen, m) => (m === open ? w : chosen)),
            lower,
            upper,
            bound,
          );
      });
      return;
    }
    if (!this.accepted(mixes) || (this.goal.ties && this.tieNodes < tieLimit))
      this.explore(simplex, ways, bound, mixes);
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
      Float64Array.from(variants, ({ lower, upper }, g) =>
        Math.min(upper, Math.max(lower, round(v[this.joint.first(m) + g]!))),
      ),
    );
  }

  private offerRounded(v: Float64Array): void {
    this.offer(this.mixesOf(v, Math.round));
    this.offer(this.mixesOf(v, (y) => Math.floor(y + fractionTolerance)));
    this.offer(this.mixesOf(v, (y) => Math.ceil(y - fractionTolerance)));
  }

  private offer(mixes: readonly Float64Array[]): void {
    const value = this.valueOf(mixes);
    if (value === null) return;
    const same = this.goal.ties ? 1e-11 * Math.abs(this.value) : 0;
    if (this.mixes !== null && value > this.value + same) return;
    if (this.mixes !== null && value >= this.value - same) {
      if (!this.goal.ties || preference(this.joint.fleet.models, mixes, this.mixes) >= 0) return;
    }
    this.value = value;
    this.mixes = mixes.map((mix) => mix.slice());
  }

  private accepted(mixes: readonly Float64Array[]): boolean {
    return this.valueOf(mixes) !== null;
  }

  /** The goal's value of whole mixes; null where a limit is broken. */
  private valueOf(mixes: readonly Float64Array[]): number | null {
    const { joint, goal } = this;
    const { models, stock, budget } = joint.fleet;
    let [value, cost] = [0, 0];
    const used = stock.map(() => 0);
    mixes.forEach((mix, m) => {
      models[m]!.variants.forEach(({ price, pool, gpus }, g) => {
        cost += price * mix[g]!;
        value += goal.replicas[joint.first(m) + g]! * mix[g]!;
        if (pool >= 0) used[pool]! += gpus * mix[g]!;
      });
    });
    if (used.some((gpus, pool) => gpus > stock[pool]!) || cost > budget * (1 + 1e-9)) return null;
    if (value > this.value + this.same()) return null;
    const shares: number[] = [];
    for (let m = 0; m < mixes.length; m++) {
      const best = joint.bestWay(m, mixes[m]!);
      const share = best === null ? 1 : best.service.unserved / joint.totals[m]!;
      const all = best?.service.served.every((part) => part === 1) ?? false;
      if (goal.most[m] === 0 ? !all && models[m]!.rates.length > 0 : share > goal.most[m]! + 2 * negligible)
        return null;
      shares.push(share);
      value += goal.unserved[m]! * share;
    }
    for (const group of goal.groups)
      if (group.models.reduce((sum, m) => sum + shares[m]!, 0) > group.most + 2 * negligible) return null;
    return value;
  }
}

/** LP noise on a whole number is removed before it asks for a cut. */
const snapped = (y: number): number =>
  Math.abs(y - Math.round(y)) < fractionTolerance ? Math.round(y) : Math.max(0, y);

/** Takes the variants that a way does not use out of the bounds; false where a floor forbids that. */
const close = ({ open }: Way, first: number, lower: readonly number[], upper: number[]): boolean =>
  open.every((may, g) => {
    if (may === 1) return true;
    upper[first + g] = 0;
    return lower[first + g] === 0;
  });
