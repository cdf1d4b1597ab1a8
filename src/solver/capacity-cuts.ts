import { lineScale, type Program } from './program.ts';
import { Relaxation } from './relaxation.ts';
import type { WorkBudget } from './work-budget.ts';

/**
 * weight unserved(y) + sum_g slope_g y_g >= constant for every y. With a weight of 1 a plane below the convex function
 * unserved(y), which it touches at one y; others hold for whole y alone.
 */
export interface Cut {
  readonly constant: number;
  readonly slopes: Float64Array;
  readonly weight: number;
}

/** What one model serves with given replicas. */
export interface Served {
  /** req/s that find no capacity. */
  readonly unserved: number;
  /** Share of each class that is served. */
  readonly served: Float64Array;
  readonly cut: Cut;
}

/** Shares left over by rounding. */
const negligibleShare = 1e-12;

/**
 * How many requests per second of one model a mix leaves unserved, as a function of its replicas y, fractional or not.
 *
 * The relaxation with one type more: "nowhere", on which a class puts its arrival rate as load, at a price of 1. With y
 * held its optimum is price . y + unserved(y), and pi gives unserved(y) >= sigma(pi) - pi . y for every other y as well.
 */
export class CapacityCuts {
  readonly types: number;
  private readonly rates: Float64Array;
  private readonly relaxation: Relaxation;

  /** @param loads replicas' worth of work, class x type; Infinity = may not go there. @param rates req/s per class */
  constructor(loads: Float64Array, rates: Float64Array, work?: WorkBudget) {
    const classes = rates.length;
    this.types = loads.length / Math.max(1, classes);
    this.rates = rates;
    const width = this.types + 1;
    const wide = new Float64Array(classes * width);
    const prices = new Float64Array(width).fill(Number.POSITIVE_INFINITY);
    prices[this.types] = 1;
    for (let c = 0; c < classes; c++) {
      for (let g = 0; g < this.types; g++) {
        const load = loads[c * this.types + g]! / lineScale;
        wide[c * width + g] = load;
        if (load > 0) prices[g] = Math.min(prices[g]!, (0.5 * rates[c]!) / load);
      }
      wide[c * width + this.types] = rates[c]!;
    }
    for (let g = 0; g < width; g++) if (!(prices[g]! > 0 && prices[g]! < Number.POSITIVE_INFINITY)) prices[g] = 1;
    const program: Program = {
      types: width,
      classes,
      loads: wide,
      prices,
      lower: new Float64Array(width),
      upper: new Float64Array(width).fill(2 * rates.reduce((sum, rate) => sum + rate, 0) + 1),
    };
    this.relaxation = new Relaxation(program, wide, work);
  }

  /** At y replicas per type. */
  at(replicas: ArrayLike<number>): Served {
    const { relaxation, types, rates } = this;
    for (let g = 0; g < types; g++) {
      relaxation.lower[g] = replicas[g]!;
      relaxation.upper[g] = replicas[g]!;
    }
    if (relaxation.solve(Number.POSITIVE_INFINITY) !== 'optimal') {
      relaxation.restart();
      relaxation.solve(Number.POSITIVE_INFINITY);
    }
    const assignment = relaxation.assignment();
    const served = Float64Array.from(rates, (_, c) => {
      const share = 1 - assignment[c * (types + 1) + types]!;
      return share > 1 - negligibleShare ? 1 : Math.max(0, share);
    });
    const unserved = rates.reduce((sum, rate, c) => sum + rate * (1 - served[c]!), 0);
    const slopes = relaxation.forest.pi.slice(0, types);
    let constant = relaxation.certifiedBound();
    for (let g = 0; g < types; g++) constant += (slopes[g]! - relaxation.program.prices[g]!) * replicas[g]!;
    return { unserved, served, cut: { constant, slopes, weight: 1 } };
  }

  /** Share of each class on each type at the replicas last asked for, class x type. */
  assignment(): Float64Array {
    const wide = this.relaxation.assignment();
    const { types } = this;
    return Float64Array.from({ length: this.rates.length * types }, (_, at) =>
      Math.max(0, wide[Math.floor(at / types) * (types + 1) + (at % types)]!),
    );
  }
}
