import { type Choice, type Chosen, choose } from './choice.ts';
import { maximise, type Tangent } from './concave.ts';
import { costCeiling, dearestGpu, type Fleet } from './fleet.ts';
import { improvedChoice } from './neighbourhoods.ts';
import { commonUnit, type SearchOptions } from './one-model.ts';
import type { Column } from './partial-choices.ts';
import { PricedModel } from './priced-model.ts';
import { leastSaving, lineTolerance, provesOptimal, sameCost } from './program.ts';
import { repaired } from './repair.ts';
import { boundlessWork, stateWork, type WorkBudget } from './work-budget.ts';

export interface SharedResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'stopped';
  readonly mixes: readonly Float64Array[] | null;
  readonly bound: number;
  readonly nodes: number;
}

/** Shares of the work left: for prices of the relaxations, for those of whole mixes, for one round of these, for enumerating, and for one choice. */
const relaxedShare = 0.25;
const pricingShare = 0.7;
const roundShare = 0.3;
const enumerationShare = 0.5;
const choiceShare = 0.3;
/** Even shares of a round that one model may take: most models need less than one, a few need several. */
const fairShares = 3;
/** Where rounds were cut, few mixes were met: so many times the prices are varied by up to so much, with so few nodes, for more of them. */
const [variedRounds, variation, variedNodes, variedShare] = [12, 0.05, 40, 0.3];
/** Rounds of whole pricing, and steps (state x column) that one choice may take. */
const pricingRounds = 30;
/** Pricing may stop this close to a model's cheapest mix (share of its cost): its proven bound is what counts. */
const roughGap = 3e-4;
const fineGap = 1e-5;
const mostSteps = 1_500_000;
/** The same once the cost is proven and only mixes of the same cost are looked through. */
const tieSteps = 150_000;
const fewStates = 30;
const manyStates = 400;
/** A first choice this far above the bound (share) is worth a wider look. */
const poorGap = 5e-4;
/** Prices of the pools up to which a proof that the stock does not suffice is sought (of the dearest GPU's). */
const hopelessPrice = 1e5;
/** Shares of an excess at which the enumerated mixes are chosen from: what a choice takes grows fast with it. */
const steps = [1 / 16, 1 / 8, 1 / 4, 0.4, 0.63, 1];
/** The first excess that is enumerated (share of the dearest GPU's price): gaps do not grow with the number of models. */
const firstExcess = 4e-3;

/**
 * Several models on common stock, to a proven optimum.
 *
 *   minimise sum_m cost_m(y_m)  with  S_k: sum_m use_mk(y_m) <= stock_k  for each pool k
 *
 * At prices w_k >= 0 of a GPU (`poolPrices`) the models fall apart: each takes its cheapest mix at price + w . gpus, and
 *
 *   bound(w) = sum_m min over y_m of (cost_m + w . use_m) - w . stock  <=  the optimum.
 *
 * 1. w is sought by the relaxations, then by whole mixes, each of which is kept as a column.
 * 2. A choice of columns whose excess over the bound is at most D uses only columns that cost at most D more than the
 *    model's best, all of which are enumerated. D starts small and grows; the first D with a choice in it is proven.
 *
 * The invariant of 2.: every choice whose excess is at most `done` has been looked at, and none of them is within the stock. So
 * the optimum costs more than bound + done. Each step looks at the choices up to the next `part`, and either keeps the invariant
 * with done = part or stops, in one of these ways:
 *
 * - Some choice within `part` is within the stock, and none was dropped: the cheapest of them is the optimum.
 * - There is none, and `part` reaches the cost of the incumbent: nothing is cheaper than that.
 * - Something had to be dropped, from an excess of `dropped` on: bound + dropped is proven, and the incumbent stands.
 * - A model's enumeration was cut short by the node limit: bound + done is proven.
 * - bound + part is above what any choice can cost: there is no choice.
 */
export class SharedStock {
  private readonly fleet: Fleet;
  private readonly options: SearchOptions;
  private readonly work: WorkBudget;
  private readonly models: PricedModel[];
  /** Greatest common divisor of all prices (money/h); 0 = they have none. */
  private readonly unit: number;
  private nodes = 0;

  constructor(fleet: Fleet, options: SearchOptions) {
    this.fleet = fleet;
    this.options = options;
    this.work = options.work ?? boundlessWork;
    // What is fluid costs any amount.
    this.unit = fleet.models.some(({ fluid }) => fluid !== undefined)
      ? 0
      : commonUnit(fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)));
    this.models = fleet.models.map((model) => new PricedModel(model, fleet.stock.length, this.work));
  }

  /**
   * @param starts mixes that carry the demand, asked for where what is easily seen is poor
   * @param startFrom the same, asked for where nothing else is within the stock; null = there are none
   */
  run(starts: Starts = () => [], startFrom: () => readonly Float64Array[] | null = () => null): SharedResult {
    const priced = this.prices();
    if (priced === null) return this.infeasible();
    const ceiling = this.ceiling();
    const seen = this.startingChoice(priced, starts);
    if (seen === null && this.isHopeless(priced.poolPrices, ceiling)) return this.infeasible();
    return this.enumerate(priced, ceiling, seen ?? this.choiceOfMixes(startFrom()));
  }

  /** The same without a proof: what is easily seen. */
  glance(starts: Starts = () => []): SharedResult {
    const priced = this.prices();
    if (priced === null) return this.infeasible();
    const seen = this.startingChoice(priced, starts);
    return this.stopped(this.improved(seen, priced.poolPrices, priced.least), priced.bound, 0);
  }

  /** No choice that is within the stock and of use costs more. */
  private ceiling(): number {
    return Math.min(costCeiling(this.fleet), this.fleet.budget * (1 + lineTolerance));
  }

  /** What is easily seen; where that is poor, the cheapest of it and of some mixes. */
  private startingChoice(priced: Priced, starts: Starts): Choice | null {
    let best = this.firstChoice(priced);
    if (best !== null && best.cost <= priced.bound * (1 + poorGap)) return best;
    for (const mixes of starts(priced.poolPrices)) {
      const choice = this.choiceOfMixes(mixes);
      if (choice !== null && (best === null || choice.cost < best.cost)) best = choice;
    }
    return best;
  }

  /** The best prices of the pools; null where they prove that the stock does not suffice. */
  private prices(): Priced | null {
    const dearest = dearestGpu(this.fleet);
    if (this.relaxedUse() === null) return null;
    const relaxed = maximise(
      (poolPrices) => this.tangent(poolPrices, (model) => model.relaxed(poolPrices)),
      none(this.fleet),
      none(this.fleet),
      none(this.fleet).fill(50 * dearest),
      dearest / 4,
      (value) => 1e-5 * Math.abs(value),
      200,
      this.work.part(relaxedShare),
    );
    const ceiling = this.ceiling();
    if (relaxed.value > ceiling) return null;
    const priced = this.wholePrices(relaxed.x, dearest);
    return priced.bound > ceiling ? null : priced;
  }

  /** Whether prices as high as needed prove what usual ones do not: that no choice is within the stock. */
  private isHopeless(start: Float64Array, ceiling: number): boolean {
    const most = hopelessPrice * dearestGpu(this.fleet);
    const { value } = maximise(
      (poolPrices) => this.tangent(poolPrices, (model) => model.relaxed(poolPrices)),
      start,
      none(this.fleet),
      none(this.fleet).fill(most),
      most / 8,
      (bound) => (bound > ceiling ? Number.POSITIVE_INFINITY : 1e-6 * ceiling),
      200,
      this.work.part(relaxedShare),
    );
    return value > ceiling;
  }

  private firstChoice({ poolPrices, bound, least }: Priced): Choice | null {
    const columns = this.models.map((model, m) => model.columnsAt(poolPrices, least[m]!));
    const affordable = statesFor(columns, (choiceShare * this.work.left) / stateWork);
    const few = this.choice(columns, poolPrices, Number.POSITIVE_INFINITY, Math.min(fewStates, affordable)).choice;
    const known =
      few === null || few.cost > bound * (1 + poorGap)
        ? this.choice(columns, poolPrices, Number.POSITIVE_INFINITY, Math.min(manyStates, affordable)).choice
        : few;
    return known ?? few ?? repaired(columns, this.fleet.stock, this.work.part(0.5));
  }

  /** Mixes as columns; null where they are not within the stock. */
  private choiceOfMixes(mixes: readonly Float64Array[] | null): Choice | null {
    if (mixes === null) return null;
    const choice = choiceOf(mixes.map((mix, m) => this.models[m]!.columnOf(mix)));
    const { stock } = this.fleet;
    return stock.every((gpus, k) => choice.columns.reduce((sum, { use }) => sum + use[k]!, 0) <= gpus) ? choice : null;
  }

  /** Whether models that each take what is cheapest for them fit together, as far as the relaxation says. */
  fitsRelaxed(): boolean {
    return this.relaxedUse()?.every((over) => over <= 0) ?? true;
  }

  /** GPUs above each pool's stock at prices of 0; null where some model has no mix at all. */
  private relaxedUse(): Float64Array | null {
    const { value, slope } = this.tangent(new Float64Array(this.fleet.stock.length), (model) => model.relaxed(none(this.fleet)));
    return value === Number.POSITIVE_INFINITY ? null : slope;
  }

  private infeasible(): SharedResult {
    return { status: 'infeasible', mixes: null, bound: Number.POSITIVE_INFINITY, nodes: this.nodes };
  }

  /** Value and slope of sum_m min(cost + w . use) - w . stock. */
  private tangent(poolPrices: Float64Array, best: (model: PricedModel) => { value: number; use: readonly number[] }): Tangent {
    const { stock } = this.fleet;
    const slope = Float64Array.from(stock, (gpus) => -gpus);
    let value = -stock.reduce((sum, gpus, k) => sum + poolPrices[k]! * gpus, 0);
    for (const model of this.models) {
      const { value: own, use } = best(model);
      value += own;
      for (let k = 0; k < slope.length; k++) slope[k]! += use[k]!;
    }
    return { value, slope };
  }

  /** Prices by whole mixes: what the columns so far ask for, near the best prices so far while they promise too much. */
  private wholePrices(start: Float64Array, dearest: number): Priced {
    const pricing = this.work.part(pricingShare);
    let best = this.price(start, roughGap, pricing);
    let { cut } = best;
    let region = dearest / 150;
    for (let round = 1; round < pricingRounds && !pricing.spent && this.models.every(({ hasColumns }) => hasColumns); round++) {
      const byColumns = maximise(
        (poolPrices) => this.tangent(poolPrices, (model) => model.cheapestColumn(poolPrices)),
        best.poolPrices,
        best.poolPrices.map((price) => Math.max(0, price - region)),
        best.poolPrices.map((price) => price + region),
        region,
        (value) => 1e-6 * Math.abs(value),
        100,
        pricing,
      );
      const promised = byColumns.value - best.bound;
      if (promised <= 5e-5 * Math.abs(best.bound)) break;
      const priced = this.price(byColumns.x, promised > 2e-3 * Math.abs(best.bound) ? roughGap : fineGap, pricing);
      region *= priced.bound - best.bound > 0.5 * promised ? 2 : 0.4;
      cut ||= priced.cut;
      if (priced.bound > best.bound) best = priced;
      // With still less work the next round would prove still less.
      else if (priced.cut) break;
    }
    if (cut) this.meetMore(best.poolPrices, this.work.part(variedShare));
    return best;
  }

  /** Mixes near some prices: not the best that there are, but more to choose from. */
  private meetMore(poolPrices: Float64Array, work: WorkBudget): void {
    for (let round = 1; round <= variedRounds && !work.spent; round++) {
      const near = poolPrices.map((price, k) => price * (1 + variation * ((((7 * round + 5 * k) % 9) - 4) / 4)));
      const part = work.part(1 / (variedRounds + 1 - round));
      for (const [m, model] of this.models.entries()) {
        const own = part.part(Math.min(1, fairShares / (this.models.length - m)));
        this.nodes += model.whole(near, { ...this.options, nodeLimit: variedNodes, work: own }, roughGap).nodes;
      }
    }
  }

  /** The bound at some prices, by the cheapest whole mix of every model. */
  private price(poolPrices: Float64Array, gapTolerance: number, work: WorkBudget): Priced {
    const least: number[] = [];
    const round = work.part(roundShare);
    const { value } = this.tangent(poolPrices, (model) => {
      const part = {
        ...this.options,
        nodeLimit: this.nodesLeft(),
        work: round.part(Math.min(1, fairShares / (this.models.length - least.length))),
      };
      const { value: own, use, nodes } = model.whole(poolPrices, part, gapTolerance);
      this.nodes += nodes;
      least.push(own);
      return { value: own, use };
    });
    return { poolPrices, bound: value, least, cut: round.spent };
  }

  private enumerate({ poolPrices, bound, least }: Priced, ceiling: number, first: Choice | null): SharedResult {
    let best = first;
    const noise = 1e-10 * Math.abs(bound);
    let done = 0;
    let excess = Math.max(noise, firstExcess * dearestGpu(this.fleet));
    for (;;) {
      const target = best === null ? Number.POSITIVE_INFINITY : best.cost - bound;
      const within = Math.min(excess, target) + noise;
      const { lists, complete } = this.mixesWithin(poolPrices, least, within);
      for (const part of steps.map((step) => step * within).filter((step) => step > done)) {
        const near = lists.map((list) => list.filter(({ reduced }) => reduced <= part));
        const most = best !== null && this.proves(bound + done, best.cost) ? tieSteps : mostSteps;
        const states = statesFor(near, Math.min(most, (choiceShare * this.work.left) / stateWork));
        const { choice, dropped } = this.choice(near, poolPrices, part, states);
        if (choice !== null && (best === null || choice.cost <= best.cost * (1 + sameCost))) best = choice;
        if (!complete || dropped <= part) {
          const more = this.choice(
            near,
            poolPrices,
            Number.POSITIVE_INFINITY,
            Math.min(manyStates, Math.ceil(states / 4)),
          ).choice;
          if (more !== null && (best === null || more.cost < best.cost)) best = more;
          best = this.improved(best, poolPrices, least);
          return this.stopped(best, bound, complete ? Math.max(done, Math.min(dropped, part)) : done);
        }
        if (choice !== null || (part === within && excess >= target)) return this.result('optimal', best!, best!.cost);
        done = part;
      }
      if (bound + within > ceiling) return this.infeasible();
      excess *= 4;
    }
  }

  /** The best so far, made better among all columns that were met. */
  private improved(best: Choice | null, poolPrices: Float64Array, least: readonly number[]): Choice | null {
    if (best === null) return null;
    const columns = this.models.map((model, m) => model.columnsAt(poolPrices, least[m]!));
    const found = choiceOf(improvedChoice(columns, this.fleet.stock, poolPrices, best.columns, this.work));
    return found.cost < best.cost ? found : best;
  }

  private mixesWithin(
    poolPrices: Float64Array,
    least: readonly number[],
    excess: number,
  ): { lists: Column[][]; complete: boolean } {
    let complete = true;
    const lists = this.models.map((model, m) => {
      const work = this.work.part(enumerationShare / (this.models.length - m));
      const found = model.within(poolPrices, least[m]!, excess, this.nodesLeft(), work);
      this.nodes += found.nodes;
      complete &&= found.complete;
      return found.columns;
    });
    return { lists, complete };
  }

  /** The node limit counts the nodes of all models; each search gets a few in any case, for a bound. */
  private nodesLeft(): number {
    return Math.max(20, this.options.nodeLimit - this.nodes);
  }

  private stopped(best: Choice | null, bound: number, excess: number): SharedResult {
    if (best === null) return { status: 'stopped', mixes: null, bound, nodes: this.nodes };
    if (this.proves(bound + excess, best.cost)) return this.result('optimal', best, best.cost);
    return this.result('feasible', best, Math.min(best.cost, bound + excess));
  }

  /** Whether nothing is cheaper: a bound above the next lower multiple of the prices' common divisor is as good as the cost. */
  private proves(bound: number, cost: number): boolean {
    return provesOptimal(bound, cost) || bound > cost - leastSaving(this.unit);
  }

  private result(status: 'optimal' | 'feasible', { columns }: Choice, bound: number): SharedResult {
    return { status, mixes: columns.map(({ mix }) => mix), bound, nodes: this.nodes };
  }

  private choice(lists: readonly (readonly Column[])[], poolPrices: Float64Array, excess: number, states: number): Chosen {
    return choose(lists, this.fleet.stock, poolPrices, excess, states, this.work);
  }
}

/** Asks for mixes, one per model each, to start from; at the prices of the pools so far. */
export type Starts = (poolPrices: Float64Array) => readonly (readonly Float64Array[])[];

/** Prices of the pools, the bound they give, and each model's part of it. */
interface Priced {
  readonly poolPrices: Float64Array;
  readonly bound: number;
  readonly least: readonly number[];
  /** The work of the round did not suffice to price every model. */
  readonly cut: boolean;
}

const choiceOf = (columns: readonly Column[]): Choice => ({ columns, cost: columns.reduce((sum, { cost }) => sum + cost, 0) });

const statesFor = (lists: readonly (readonly Column[])[], most: number): number =>
  Math.min(20_000, Math.max(1, Math.ceil(most / lists.reduce((sum, list) => sum + list.length, 1))));

const none = ({ stock }: Fleet): Float64Array => new Float64Array(stock.length);
