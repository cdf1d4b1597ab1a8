import { enumerateMixes } from './enumeration.ts';
import { changes, type FleetModel, mixCost, poolUse, preference, takes } from './fleet.ts';
import { type SearchOptions, solveProgram, type WayProgram, wayPrograms } from './one-model.ts';
import type { Column } from './partial-choices.ts';
import { Relaxation } from './relaxation.ts';
import { sameCost } from './tolerances.ts';
import { boundlessWork, stepWork, type WorkBudget } from './work-budget.ts';

/** One model at changing prices: its programs, and the columns met so far. */
export class PricedModel {
  private readonly model: FleetModel;
  private readonly pools: number;
  private readonly programs: readonly WayProgram[];
  private readonly relaxations: Relaxation[];
  private readonly columns = new Map<string, Column>();
  private readonly work: WorkBudget;

  constructor(model: FleetModel, pools: number, work: WorkBudget = boundlessWork) {
    this.model = model;
    this.pools = pools;
    this.work = work;
    this.programs = wayPrograms(model);
    this.relaxations = this.programs.map(({ program, scaled }) => new Relaxation(program, scaled, work));
  }

  /**
   * The relaxation's optimum at price + w . gpus, w the price of a GPU of each pool (`poolPrices`), gpus what a mix
   * takes of it.
   */
  relaxed(poolPrices: Float64Array): { value: number; use: readonly number[] } {
    this.reprice(poolPrices);
    const { variants, rates } = this.model;
    if (rates.length === 0) return this.valued(this.floors(), poolPrices);
    let best = { value: Number.POSITIVE_INFINITY, use: [] as readonly number[] };
    for (const relaxation of this.relaxations) {
      relaxation.restart();
      relaxation.solve(Number.POSITIVE_INFINITY);
      if (relaxation.bound >= best.value) continue;
      const y = variants.map((_, g) => relaxation.replicas(g));
      best = { value: relaxation.bound, use: poolUse(this.model, y, this.pools) };
    }
    return best;
  }

  /** The cheapest whole mix at price + w . gpus; a lower limit on it where the search was stopped without one. */
  whole(
    poolPrices: Float64Array,
    options: SearchOptions,
    gapTolerance: number,
  ): { value: number; use: readonly number[]; nodes: number } {
    this.reprice(poolPrices);
    if (this.model.rates.length === 0) return { ...this.keep(this.floors(), poolPrices), nodes: 0 };
    let [value, use, nodes] = [Number.POSITIVE_INFINITY, [] as readonly number[], 0];
    for (const { program, scaled } of this.programs) {
      const known = this.columns.size === 0 ? null : this.cheapestColumn(poolPrices).mix;
      const result = solveProgram(program, scaled, {
        ...options,
        tieLimit: 0,
        unit: 0,
        known,
        trusted: true,
        gapTolerance,
        prefers: never,
        favourite: nothing,
      });
      nodes += result.nodes;
      if (result.status === 'infeasible') continue;
      const column = result.mix === null ? this.valued(this.floors(), poolPrices) : this.keep(result.mix, poolPrices);
      if (result.bound < value) [value, use] = [result.bound, column.use];
    }
    return { value, use, nodes };
  }

  /** Whether any whole mix is known. */
  get hasColumns(): boolean {
    return this.columns.size > 0;
  }

  /** The cheapest column so far at price + w . gpus. */
  cheapestColumn(poolPrices: Float64Array): { value: number; use: readonly number[]; mix: Float64Array } {
    let best: Column | null = null;
    let least = Number.POSITIVE_INFINITY;
    for (const column of this.columns.values()) {
      let value = column.cost;
      for (let k = 0; k < poolPrices.length; k++) value += poolPrices[k]! * column.use[k]!;
      if (value < least) [best, least] = [column, value];
    }
    return { value: least, use: best!.use, mix: best!.mix };
  }

  /** A mix that is known to carry the demand, as a column. */
  columnOf(mix: Float64Array): Column {
    return this.keep(mix, new Float64Array(this.pools));
  }

  /** Columns so far, cheapest first at price + w . gpus. */
  columnsAt(poolPrices: Float64Array, least: number): Column[] {
    return ordered([...this.columns.values()], poolPrices, least);
  }

  /** Every minimal mix within an excess of the cheapest at price + w . gpus, dominated ones left out. */
  within(
    poolPrices: Float64Array,
    least: number,
    excess: number,
    nodeLimit: number,
    work: WorkBudget = this.work,
  ): { columns: Column[]; complete: boolean; nodes: number } {
    this.reprice(poolPrices);
    if (this.model.rates.length === 0)
      return { columns: ordered([this.keep(this.floors(), poolPrices)], poolPrices, least), complete: true, nodes: 0 };
    const found = new Map<string, Column>();
    let [complete, nodes] = [true, 0];
    for (const { program, scaled } of this.programs) {
      const keep = (mix: Float64Array): void => {
        found.set(mix.join(), this.keep(mix, poolPrices));
      };
      const search = enumerateMixes(program, scaled, least + excess, nodeLimit, keep, work);
      complete &&= search.complete;
      nodes += search.nodes;
    }
    work.charge(found.size * Math.min(found.size, dominating) * stepWork);
    return { columns: undominated(this.model, ordered([...found.values()], poolPrices, least)), complete, nodes };
  }

  private reprice(poolPrices: Float64Array): void {
    for (const { program } of this.programs)
      this.model.variants.forEach((variant, g) => {
        program.prices[g] = takes(variant).reduce((sum, [pool, amount]) => sum + poolPrices[pool]! * amount, variant.price);
      });
  }

  private floors(): Float64Array {
    return Float64Array.from(this.model.variants, ({ lower }) => lower);
  }

  private valued(mix: Float64Array, poolPrices: Float64Array): { value: number; use: number[] } {
    const use = poolUse(this.model, mix, this.pools);
    return { value: use.reduce((sum, gpus, k) => sum + gpus * poolPrices[k]!, mixCost(this.model, mix)), use };
  }

  private keep(mix: Float64Array, poolPrices: Float64Array): Column & { value: number } {
    this.work.charge(1);
    const { value, use } = this.valued(mix, poolPrices);
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

const ordered = (columns: readonly Column[], poolPrices: Float64Array, least: number): Column[] => {
  const valued = columns.map((column) => ({
    column,
    value: column.use.reduce((sum, gpus, k) => sum + gpus * poolPrices[k]!, column.cost),
  }));
  return valued
    .map(({ column, value }) => ({ ...column, reduced: Math.max(0, value - least) }))
    .sort((a, b) => a.reduced - b.reduced || (a.mix.join() < b.mix.join() ? -1 : 1));
};

/** Leaves out what costs and uses no less than another column, unless it is as cheap and preferred. */
const undominated = (model: FleetModel, columns: readonly Column[]): Column[] => {
  const likely = columns.slice(0, dominating);
  return columns.filter(
    (column) =>
      !likely.some(
        (other) =>
          other !== column &&
          other.cost <= column.cost * (1 + sameCost) &&
          other.use.every((gpus, k) => gpus <= column.use[k]!) &&
          (other.cost < column.cost * (1 - sameCost) || preference([model], [other.mix], [column.mix]) < 0),
      ),
  );
};

/** Of many columns only the best are looked at for one that dominates: what is left in does no harm. */
const dominating = 300;

const never = (): boolean => false;
const nothing = (): void => {};
