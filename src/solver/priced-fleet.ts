import type { Tangent } from './concave.ts';
import { type Fleet, poolUse } from './fleet.ts';
import type { SearchOptions } from './one-model.ts';
import type { Column } from './partial-choices.ts';
import { PricedModel } from './priced-model.ts';
import { boundlessWork, type WorkBudget } from './work-budget.ts';

/** Prices of the pools, the bound they give, and each model's part of it. */
export interface Priced {
  readonly poolPrices: Float64Array;
  readonly bound: number;
  readonly least: readonly number[];
  /** The work of the round did not suffice to price every model. */
  readonly cut: boolean;
}

/** A search may stop this close to a model's cheapest mix (share of its cost): its proven bound is what counts. */
export const roughGap = 3e-4;
/** Share of the work left for one round over all models. */
const roundShare = 0.3;
/** Even shares of a round that one model may take: most models need less than one, a few need several. */
const fairShares = 3;
/** Nodes for a mix that need not be the cheapest. */
const fewNodes = 40;

/** All models of a fleet at prices of its pools, each with the columns met so far. */
export class PricedFleet {
  readonly fleet: Fleet;
  readonly models: readonly PricedModel[];
  readonly work: WorkBudget;
  private readonly options: SearchOptions;
  private searched = 0;

  constructor(fleet: Fleet, options: SearchOptions) {
    this.fleet = fleet;
    this.options = options;
    this.work = options.work ?? boundlessWork;
    this.models = fleet.models.map((model) => new PricedModel(model, fleet.stock.length, this.work));
  }

  /** Nodes of all searches so far. */
  get nodes(): number {
    return this.searched;
  }

  /** Whether every model has a whole mix that is known. */
  get hasColumns(): boolean {
    return this.models.every(({ hasColumns }) => hasColumns);
  }

  /** The bound by the relaxations: never above that by whole mixes. */
  relaxed(poolPrices: Float64Array): Tangent {
    return this.tangent(poolPrices, (model) => model.relaxed(poolPrices));
  }

  /** The same by the columns met so far: never below that by whole mixes. */
  byColumns(poolPrices: Float64Array): Tangent {
    return this.tangent(poolPrices, (model) => model.cheapestColumn(poolPrices));
  }

  /** The bound by the cheapest whole mix of every model, each of which is kept as a column. */
  byWholeMixes(poolPrices: Float64Array, gapTolerance: number, work: WorkBudget): Priced {
    const least: number[] = [];
    const round = work.part(roundShare);
    const { value } = this.tangent(poolPrices, (model) => {
      const part = { ...this.options, nodeLimit: this.nodesLeft(), work: this.fairPart(round, least.length) };
      const { value: own, use, nodes } = model.whole(poolPrices, part, gapTolerance);
      this.searched += nodes;
      least.push(own);
      return { value: own, use };
    });
    return { poolPrices, bound: value, least, cut: round.spent };
  }

  /** Keeps a mix of each model near some prices: not the cheapest that there is, but one more to choose from. */
  meet(poolPrices: Float64Array, work: WorkBudget): void {
    for (const [m, model] of this.models.entries()) {
      const few = { ...this.options, nodeLimit: fewNodes, work: this.fairPart(work, m) };
      this.searched += model.whole(poolPrices, few, roughGap).nodes;
    }
  }

  /** Columns of each model so far, cheapest first. */
  columnsAt({ poolPrices, least }: Priced): Column[][] {
    return this.models.map((model, m) => model.columnsAt(poolPrices, least[m]!));
  }

  /** Every minimal mix of each model within an excess of its cheapest. */
  within({ poolPrices, least }: Priced, excess: number, share: number): { lists: Column[][]; complete: boolean } {
    let complete = true;
    const lists = this.models.map((model, m) => {
      const work = this.work.part(share / (this.models.length - m));
      const found = model.within(poolPrices, least[m]!, excess, this.nodesLeft(), work);
      this.searched += found.nodes;
      complete &&= found.complete;
      return found.columns;
    });
    return { lists, complete };
  }

  /** GPUs that mixes of all models leave of each pool; below 0 where they do not fit. */
  left(mixes: readonly Float64Array[]): number[] {
    const left = [...this.fleet.stock];
    mixes.forEach((mix, m) => {
      poolUse(this.fleet.models[m]!, mix, left.length).forEach((gpus, k) => {
        left[k]! -= gpus;
      });
    });
    return left;
  }

  private fairPart(work: WorkBudget, m: number): WorkBudget {
    return work.part(Math.min(1, fairShares / (this.models.length - m)));
  }

  /** The node limit counts the nodes of all models; each search gets a few in any case, for a bound. */
  private nodesLeft(): number {
    return Math.max(20, this.options.nodeLimit - this.searched);
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
}
