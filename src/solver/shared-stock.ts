import { type Choice, type Chosen, choose } from './choice.ts';
import { choiceShare, firstChoice, isPoor, manyStates, statesWithin } from './first-choice.ts';
import { costCeiling, dearestGpu, type Fleet } from './fleet.ts';
import { improvedChoice } from './neighbourhoods.ts';
import { commonUnit, type SearchOptions } from './one-model.ts';
import type { Column } from './partial-choices.ts';
import { bestPrices, gpusOver, isHopeless } from './pool-prices.ts';
import { type Priced, PricedFleet } from './priced-fleet.ts';
import { leastSaving, provesOptimal, spendable } from './program.ts';
import { sameCost } from './tolerances.ts';
import { stateWork, type WorkBudget } from './work-budget.ts';

export interface SharedResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'stopped';
  readonly mixes: readonly Float64Array[] | null;
  readonly bound: number;
  readonly nodes: number;
}

/** Share of the work left for enumerating. */
const enumerationShare = 0.5;
/**
 * Steps (state x column) that one choice may take, and the same once the cost is proven and only mixes of the same cost
 * are looked at.
 */
const mostSteps = 1_500_000;
const tieSteps = 150_000;
/** Shares of an excess at which the enumerated mixes are chosen from: what a choice takes grows fast with it. */
const steps = [1 / 16, 1 / 8, 1 / 4, 0.4, 0.63, 1];
/** The first excess that is enumerated (share of the dearest GPU's price): gaps do not grow with the number of models. */
const firstExcess = 4e-3;
/** A bound is the sum over all models of costs less what their GPUs cost: they round by less than this share of it. */
const boundNoise = 1e-10;

/**
 * Several models on common stock, to a proven optimum.
 *
 *   minimise sum_m cost_m(y_m)  with  S_k: sum_m use_mk(y_m) <= stock_k  for each pool k
 *
 * At prices w_k >= 0 of a GPU (`poolPrices`, pool-prices.ts) the models fall apart: each takes its cheapest mix at
 * price + w . gpus, and
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
  private readonly priced: PricedFleet;
  private readonly work: WorkBudget;
  /** Greatest common divisor of all prices (money/h); 0 = they have none. */
  private readonly unit: number;

  constructor(fleet: Fleet, options: SearchOptions) {
    this.fleet = fleet;
    this.priced = new PricedFleet(fleet, options);
    this.work = this.priced.work;
    // What is fluid costs any amount.
    this.unit = fleet.models.some(({ fluid }) => fluid !== undefined)
      ? 0
      : commonUnit(fleet.models.flatMap(({ variants }) => variants.map(({ price }) => price)));
  }

  /**
   * @param starts mixes that carry the demand, asked for where what is easily seen is poor
   * @param startFrom the same, asked for where nothing else is within the stock; null = there are none
   */
  run(starts: Starts = () => [], startFrom: () => readonly Float64Array[] | null = () => null): SharedResult {
    const ceiling = this.ceiling();
    const at = bestPrices(this.priced, ceiling);
    if (at === null) return this.infeasible();
    const seen = this.startingChoice(at, starts);
    if (seen === null && isHopeless(this.priced, at.poolPrices, ceiling)) return this.infeasible();
    return this.enumerate(at, ceiling, seen ?? this.choiceOfMixes(startFrom()));
  }

  /** The same without a proof: what is easily seen. */
  glance(starts: Starts = () => []): SharedResult {
    const at = bestPrices(this.priced, this.ceiling());
    if (at === null) return this.infeasible();
    return this.stopped(this.improved(this.startingChoice(at, starts), at), at.bound, 0);
  }

  /** What no choice within the stock costs less than (money/h), and nothing else. */
  bound(): { readonly bound: number; readonly nodes: number } {
    const at = bestPrices(this.priced, Number.POSITIVE_INFINITY);
    return { bound: at?.bound ?? 0, nodes: this.priced.nodes };
  }

  /** Whether models that each take what is cheapest for them fit together, as far as the relaxation says. */
  fitsRelaxed(): boolean {
    return gpusOver(this.priced)?.every((over) => over <= 0) ?? true;
  }

  /** No choice that is within the stock and of use costs more. */
  private ceiling(): number {
    return Math.min(costCeiling(this.fleet), spendable(this.fleet.budget));
  }

  /** What is easily seen; where that is poor, the cheapest of it and of some mixes. */
  private startingChoice(at: Priced, starts: Starts): Choice | null {
    let best = firstChoice(this.priced, at);
    if (!isPoor(best, at.bound)) return best;
    for (const mixes of starts(at.poolPrices)) {
      const choice = this.choiceOfMixes(mixes);
      if (choice !== null && (best === null || choice.cost < best.cost)) best = choice;
    }
    return best;
  }

  /** Mixes as columns; null where they are not within the stock. */
  private choiceOfMixes(mixes: readonly Float64Array[] | null): Choice | null {
    if (mixes === null || this.priced.left(mixes).some((gpus) => gpus < 0)) return null;
    return choiceOf(mixes.map((mix, m) => this.priced.models[m]!.columnOf(mix)));
  }

  private infeasible(): SharedResult {
    return { status: 'infeasible', mixes: null, bound: Number.POSITIVE_INFINITY, nodes: this.priced.nodes };
  }

  private enumerate(at: Priced, ceiling: number, first: Choice | null): SharedResult {
    const { poolPrices, bound } = at;
    let best = first;
    const noise = boundNoise * Math.abs(bound);
    let done = 0;
    let excess = Math.max(noise, firstExcess * dearestGpu(this.fleet));
    for (;;) {
      const target = best === null ? Number.POSITIVE_INFINITY : best.cost - bound;
      const within = Math.min(excess, target) + noise;
      const { lists, complete } = this.priced.within(at, within, enumerationShare);
      for (const part of steps.map((step) => step * within).filter((step) => step > done)) {
        const near = lists.map((list) => list.filter(({ reduced }) => reduced <= part));
        const most = best !== null && this.proves(bound + done, best.cost) ? tieSteps : mostSteps;
        const states = statesWithin(near, Math.min(most, (choiceShare * this.work.left) / stateWork));
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
          best = this.improved(best, at);
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
  private improved(best: Choice | null, at: Priced): Choice | null {
    if (best === null) return null;
    const columns = this.priced.columnsAt(at);
    const found = choiceOf(improvedChoice(columns, this.fleet.stock, at.poolPrices, best.columns, this.work));
    return found.cost < best.cost ? found : best;
  }

  private stopped(best: Choice | null, bound: number, excess: number): SharedResult {
    if (best === null) return { status: 'stopped', mixes: null, bound, nodes: this.priced.nodes };
    if (this.proves(bound + excess, best.cost)) return this.result('optimal', best, best.cost);
    return this.result('feasible', best, Math.min(best.cost, bound + excess));
  }

  /** Whether nothing is cheaper: a bound above the next lower multiple of the prices' common divisor is as good as the cost. */
  private proves(bound: number, cost: number): boolean {
    return provesOptimal(bound, cost) || bound > cost - leastSaving(this.unit);
  }

  private result(status: 'optimal' | 'feasible', { columns }: Choice, bound: number): SharedResult {
    return { status, mixes: columns.map(({ mix }) => mix), bound, nodes: this.priced.nodes };
  }

  private choice(lists: readonly (readonly Column[])[], poolPrices: Float64Array, excess: number, states: number): Chosen {
    return choose(lists, this.fleet.stock, poolPrices, excess, states, this.work);
  }
}

/** Asks for mixes, one per model each, to start from; at the prices of the pools so far. */
export type Starts = (poolPrices: Float64Array) => readonly (readonly Float64Array[])[];

const choiceOf = (columns: readonly Column[]): Choice => ({ columns, cost: columns.reduce((sum, { cost }) => sum + cost, 0) });
