import { branch } from './branch.ts';
import { type Choice, type Chosen, type Column, choose } from './choice.ts';
import { maximise, type Tangent } from './concave.ts';
import { enumerateMixes } from './enumeration.ts';
import { changes, type Fleet, type FleetModel, mixCost, poolUse, preference } from './fleet.ts';
import { type SolveOptions, type WayProgram, wayPrograms } from './one-model.ts';
import { Relaxation } from './relaxation.ts';

export interface SharedResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'unknown';
  readonly mixes: readonly Float64Array[] | null;
  readonly bound: number;
  readonly nodes: number;
}

/** Rounds of whole pricing, and states that the choice may hold. */
const pricingRounds = 8;
/** Pricing may stop this close to a model's cheapest mix (share of its cost): its proven bound is what counts. */
const roughGap = 3e-4;
const fineGap = 1e-5;
const mostStates = 20_000;

/**
 * Several models on common stock, to a proven optimum.
 *
 *   minimise sum_m cost_m(y_m)  with  S_k: sum_m use_mk(y_m) <= stock_k  for each pool k
 *
 * At prices lambda_k >= 0 of a GPU the models fall apart: each takes its cheapest mix at price + lambda . gpus, and
 *
 *   bound(lambda) = sum_m min over y_m of (cost_m + lambda . use_m) - lambda . stock  <=  the optimum.
 *
 * 1. lambda is sought by the relaxations, then by whole mixes, each of which is kept as a column.
 * 2. A choice of columns whose excess over the bound is at most D uses only columns that cost at most D more than the
 *    model's best, all of which are enumerated. D starts small and doubles; the first D with a choice in it is proven.
 */
export const solveShared = (fleet: Fleet, options: SolveOptions): SharedResult => new SharedStock(fleet, options).run();

class SharedStock {
  private readonly fleet: Fleet;
  private readonly options: SolveOptions;
  private readonly models: PricedModel[];
  private nodes = 0;

  constructor(fleet: Fleet, options: SolveOptions) {
    this.fleet = fleet;
    this.options = options;
    this.models = fleet.models.map((model) => new PricedModel(model, fleet.stock.length));
  }

  run(): SharedResult {
    const { stock } = this.fleet;
    const dearest = dearestGpu(this.fleet);
    const none = new Float64Array(stock.length);
    const relaxed = maximise(
      (lambda) => this.tangent(lambda, (model) => model.relaxed(lambda)),
      none,
      none,
      none.map(() => 50 * dearest),
      dearest / 4,
      (value) => 1e-5 * Math.abs(value),
      200,
    );
    const ceiling = this.costCeiling();
    if (relaxed.value > ceiling) return this.infeasible();
    const priced = this.wholePrices(relaxed.x, dearest);
    return priced.bound > ceiling ? this.infeasible() : this.enumerate(priced, ceiling);
  }

  private infeasible(): SharedResult {
    return { status: 'infeasible', mixes: null, bound: Number.POSITIVE_INFINITY, nodes: this.nodes };
  }

  /** Value and slope of sum_m min(cost + lambda . use) - lambda . stock. */
  private tangent(
    lambda: Float64Array,
    best: (model: PricedModel) => { value: number; use: readonly number[] },
  ): Tangent {
    const { stock } = this.fleet;
    const slope = Float64Array.from(stock, (gpus) => -gpus);
    let value = -stock.reduce((sum, gpus, k) => sum + lambda[k]! * gpus, 0);
    for (const model of this.models) {
      const { value: own, use } = best(model);
      value += own;
      for (let k = 0; k < slope.length; k++) slope[k]! += use[k]!;
    }
    return { value, slope };
  }

  /** Prices by whole mixes: what the columns so far ask for, near the best prices so far while they promise too much. */
  private wholePrices(start: Float64Array, dearest: number): Priced {
    let best = this.price(start, roughGap);
    let region = dearest / 50;
    for (let round = 1; round < pricingRounds; round++) {
      const byColumns = maximise(
        (lambda) => this.tangent(lambda, (model) => model.cheapestColumn(lambda)),
        best.lambda,
        best.lambda.map((price) => Math.max(0, price - region)),
        best.lambda.map((price) => price + region),
        region,
        (value) => 1e-6 * Math.abs(value),
        100,
      );
      const promised = byColumns.value - best.bound;
      if (promised <= 5e-5 * Math.abs(best.bound)) break;
      const priced = this.price(byColumns.x, promised > 2e-3 * Math.abs(best.bound) ? roughGap : fineGap);
      region *= priced.bound - best.bound > 0.5 * promised ? 2 : 0.4;
      if (priced.bound > best.bound) best = priced;
    }
    return best;
  }

  /** The bound at some prices, by the cheapest whole mix of every model. */
  private price(lambda: Float64Array, gapTolerance: number): Priced {
    const least: number[] = [];
    const { value } = this.tangent(lambda, (model) => {
      const { value: own, use, nodes } = model.whole(lambda, this.options, gapTolerance);
      this.nodes += nodes;
      least.push(own);
      return { value: own, use };
    });
    return { lambda, bound: value, least };
  }

  private enumerate({ lambda, bound, least }: Priced, ceiling: number): SharedResult {
    const known = this.choice(
      this.models.map((model, m) => model.columnsAt(lambda, least[m]!)),
      lambda,
      Number.POSITIVE_INFINITY,
      2_000,
    );
    const target = known.choice === null ? Number.POSITIVE_INFINITY : known.choice.cost - bound;
    const noise = 1e-10 * Math.abs(bound);
    let best: Choice | null = known.choice;
    let excess = Math.max(noise, 5e-6 * Math.abs(bound));
    for (;;) {
      const last = excess >= target;
      const within = Math.min(excess, target) + noise;
      const lists: Column[][] = [];
      let complete = true;
      for (const [m, model] of this.models.entries()) {
        const found = model.within(lambda, least[m]!, within, this.options.nodeLimit);
        this.nodes += found.nodes;
        complete &&= found.complete;
        lists.push(found.columns);
      }
      const { choice, dropped } = this.choice(lists, lambda, within, mostStates);
      if (choice !== null && (best === null || choice.cost <= best.cost * (1 + 1e-11))) best = choice;
      const proven = complete && dropped > within;
      if (!proven) return this.stopped(best, bound, complete ? Math.min(dropped, within) : 0);
      if (choice !== null || last) return this.result('optimal', best!, best!.cost);
      if (bound + within > ceiling) return this.infeasible();
      excess *= 2;
    }
  }

  private stopped(best: Choice | null, bound: number, excess: number): SharedResult {
    if (best === null) return { status: 'unknown', mixes: null, bound, nodes: this.nodes };
    const proven = Math.min(best.cost, bound + excess);
    return this.result(proven >= best.cost * (1 - 1e-9) ? 'optimal' : 'feasible', best, proven);
  }

  private result(status: 'optimal' | 'feasible', { columns }: Choice, bound: number): SharedResult {
    return { status, mixes: columns.map(({ mix }) => mix), bound, nodes: this.nodes };
  }

  private choice(lists: readonly (readonly Column[])[], lambda: Float64Array, excess: number, states: number): Chosen {
    return choose(lists, this.fleet.stock, lambda, excess, states);
  }

  /** No feasible choice costs more: every pool sold out on its dearest variants, and every bound of the others reached. */
  private costCeiling(): number {
    const perGpu = this.fleet.stock.map(() => 0);
    let ceiling = 0;
    for (const { variants } of this.fleet.models)
      for (const { price, pool, gpus, upper } of variants)
        if (pool < 0) ceiling += price * upper;
        else perGpu[pool] = Math.max(perGpu[pool]!, price / gpus);
    return perGpu.reduce((sum, price, k) => sum + price * this.fleet.stock[k]!, ceiling) * (1 + 1e-9);
  }
}

/** Prices of the pools, the bound they give, and each model's part of it. */
interface Priced {
  readonly lambda: Float64Array;
  readonly bound: number;
  readonly least: readonly number[];
}

/** One model at changing prices: its programs, and the columns met so far. */
class PricedModel {
  private readonly model: FleetModel;
  private readonly pools: number;
  private readonly programs: readonly WayProgram[];
  private readonly relaxations: Relaxation[];
  private readonly columns = new Map<string, Column>();

  constructor(model: FleetModel, pools: number) {
    this.model = model;
    this.pools = pools;
    this.programs = wayPrograms(model);
    this.relaxations = this.programs.map(({ program, scaled }) => new Relaxation(program, scaled));
  }

  /** The relaxation's optimum at price + lambda . gpus. */
  relaxed(lambda: Float64Array): { value: number; use: readonly number[] } {
    this.reprice(lambda);
    const { variants, rates } = this.model;
    if (rates.length === 0) return this.valued(this.floors(), lambda);
    let best = { value: Number.POSITIVE_INFINITY, use: [] as readonly number[] };
    for (const relaxation of this.relaxations) {
      relaxation.forest.start(relaxation.program);
      relaxation.solve(Number.POSITIVE_INFINITY);
      if (relaxation.bound >= best.value) continue;
      const y = variants.map((_, g) => relaxation.replicas(g));
      best = { value: relaxation.bound, use: poolUse(this.model, y, this.pools) };
    }
    return best;
  }

  /** The cheapest whole mix at price + lambda . gpus. */
  whole(
    lambda: Float64Array,
    options: SolveOptions,
    gapTolerance: number,
  ): { value: number; use: readonly number[]; nodes: number } {
    this.reprice(lambda);
    if (this.model.rates.length === 0) return { ...this.keep(this.floors(), lambda), nodes: 0 };
    let [value, use, nodes] = [Number.POSITIVE_INFINITY, [] as readonly number[], 0];
    for (const { program, scaled } of this.programs) {
      const known = this.columns.size === 0 ? null : this.cheapestColumn(lambda).mix;
      const result = branch(program, scaled, {
        ...options,
        tieLimit: 0,
        unit: 0,
        known,
        trusted: true,
        gapTolerance,
        prefers: never,
      });
      nodes += result.nodes;
      if (result.mix === null) continue;
      const column = this.keep(result.mix, lambda);
      if (result.bound < value) [value, use] = [result.bound, column.use];
    }
    return { value, use, nodes };
  }

  /** The cheapest column so far at price + lambda . gpus. */
  cheapestColumn(lambda: Float64Array): { value: number; use: readonly number[]; mix: Float64Array } {
    let best: Column | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const column of this.columns.values()) {
      let value = column.cost;
      for (let k = 0; k < lambda.length; k++) value += lambda[k]! * column.use[k]!;
      if (value < least) [best, least] = [column, value];
    }
    return { value: least, use: best!.use, mix: best!.mix };
  }

  /** Columns so far, cheapest first at price + lambda . gpus. */
  columnsAt(lambda: Float64Array, least: number): Column[] {
    return ordered([...this.columns.values()], lambda, least);
  }

  /** Every minimal mix within an excess of the cheapest at price + lambda . gpus, dominated ones left out. */
  within(
    lambda: Float64Array,
    least: number,
    excess: number,
    nodeLimit: number,
  ): { columns: Column[]; complete: boolean; nodes: number } {
    this.reprice(lambda);
    if (this.model.rates.length === 0)
      return { columns: ordered([this.keep(this.floors(), lambda)], lambda, least), complete: true, nodes: 0 };
    const found = new Map<string, Column>();
    let [complete, nodes] = [true, 0];
    for (const { program, scaled } of this.programs) {
      const search = enumerateMixes(program, scaled, least + excess, nodeLimit, (mix) => {
        found.set(mix.join(), this.keep(mix, lambda));
      });
      complete &&= search.complete;
      nodes += search.nodes;
    }
    return { columns: undominated(this.model, ordered([...found.values()], lambda, least)), complete, nodes };
  }

  private reprice(lambda: Float64Array): void {
    for (const { program } of this.programs)
      this.model.variants.forEach(({ price, pool, gpus }, g) => {
        program.prices[g] = price + (pool < 0 ? 0 : lambda[pool]! * gpus);
      });
  }

  private floors(): Float64Array {
    return Float64Array.from(this.model.variants, ({ lower }) => lower);
  }

  private valued(mix: Float64Array, lambda: Float64Array): { value: number; use: number[] } {
    const use = poolUse(this.model, mix, this.pools);
    return { value: use.reduce((sum, gpus, k) => sum + gpus * lambda[k]!, mixCost(this.model, mix)), use };
  }

  private keep(mix: Float64Array, lambda: Float64Array): Column & { value: number } {
    const { value, use } = this.valued(mix, lambda);
    const column = {
      mix: mix.slice(),
      cost: mixCost(this.model, mix),
      use,
      changes: changes(this.model, mix),
      reduced: 0,
    };
    this.columns.set(mix.join(), column);
    return { ...column, value };
  }
}

const ordered = (columns: readonly Column[], lambda: Float64Array, least: number): Column[] => {
  const valued = columns.map((column) => ({
    column,
    value: column.use.reduce((sum, gpus, k) => sum + gpus * lambda[k]!, column.cost),
  }));
  return valued
    .map(({ column, value }) => ({ ...column, reduced: Math.max(0, value - least) }))
    .sort((a, b) => a.reduced - b.reduced || (a.mix.join() < b.mix.join() ? -1 : 1));
};

/** Leaves out what costs and uses no less than another column, unless it is as cheap and preferred. */
const undominated = (model: FleetModel, columns: readonly Column[]): Column[] =>
  columns.filter(
    (column) =>
      !columns.some(
        (other) =>
          other !== column &&
          other.cost <= column.cost * (1 + 1e-11) &&
          other.use.every((gpus, k) => gpus <= column.use[k]!) &&
          (other.cost < column.cost * (1 - 1e-11) || preference([model], [other.mix], [column.mix]) < 0),
      ),
  );

const never = (): boolean => false;

/** Dearest price of one GPU of any variant (money/h). */
const dearestGpu = ({ models }: Fleet): number =>
  Math.max(1e-9, ...models.flatMap(({ variants }) => variants.map(({ price, gpus }) => price / Math.max(1, gpus))));
