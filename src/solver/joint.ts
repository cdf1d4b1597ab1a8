import { CapacityCuts, type Cut, type Served } from './capacity-cuts.ts';
import type { Fleet, FleetModel } from './fleet.ts';
import { boundlessWork, type WorkBudget } from './work-budget.ts';

/** An unserved share below this is rounding. */
export const negligible = 1e-9;

/**
 * The models of a fleet as functions of their replicas: what each leaves unserved, and the planes below that function which
 * have been met so far.
 */
export class Joint {
  readonly fleet: Fleet;
  readonly totals: readonly number[];
  readonly work: WorkBudget;
  private readonly firstVariant: number[];
  private readonly size: number;
  private readonly oracles: (CapacityCuts | undefined)[][];
  private readonly cuts: Cut[][][];

  /**
   * @param totals what a model's unserved req/s are divided by, to give its share
   * @param work what its searches are charged to
   */
  constructor(fleet: Fleet, totals: readonly number[], work: WorkBudget = boundlessWork) {
    this.work = work;
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
  service(m: number, way: number, replicas: ArrayLike<number>): Served {
    const model = this.fleet.models[m]!;
    if (model.rates.length === 0) return nothing;
    const slot = model.ways.length === 1 ? 0 : way + 1;
    this.oracles[m]![slot] ??= new CapacityCuts(
      way < 0 && model.ways.length > 1 ? easiest(model) : model.ways[Math.max(0, way)]!.loads,
      model.rates,
      this.work,
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
  bestWay(m: number, replicas: ArrayLike<number>): { readonly way: number; readonly service: Served } | null {
    let best: { way: number; service: Served } | null = null;
    this.fleet.models[m]!.ways.forEach(({ open }, way) => {
      if (open.some((may, g) => may === 0 && replicas[g]! > 0)) return;
      const service = this.service(m, way, replicas);
      if (best === null || service.unserved < best.service.unserved) best = { way, service };
    });
    return best;
  }

  /** req/s that a mix of one model leaves unserved: all where no way exists. */
  unserved(m: number, mix: ArrayLike<number>): number {
    return this.bestWay(m, mix)?.service.unserved ?? this.fleet.models[m]!.rates.reduce((sum, rate) => sum + rate, 0);
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

const nothing: Served = {
  unserved: 0,
  served: new Float64Array(),
  cut: { constant: 0, slopes: new Float64Array(), weight: 1 },
};

/** Per class and variant the least load over all ways: no way serves more. */
const easiest = ({ ways }: FleetModel): Float64Array =>
  ways[0]!.loads.map((_, at) => Math.min(...ways.map(({ loads }) => loads[at]!)));
