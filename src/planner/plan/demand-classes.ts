import { element } from '../../vocabulary/list-element.ts';
import type { DemandRow, Model, RouterKnowledge, Variant } from '../../vocabulary/planning-documents.ts';

/** Share of a class that may be beyond a variant's SLO, where its profile names no percentile. */
export const defaultSloShare = 0.01;

/** One way in which a router can spread the classes; see solver/fleet.ts. */
export interface RoutingWay {
  /** Replicas' worth of work of a whole class on a variant, class x variant, row-major; Infinity = may not go there. */
  readonly loads: Float64Array;
  /** 1 where the variant may run at all. */
  readonly open: Uint8Array;
}

/** What a router can tell apart: demand rows that it treats alike are one class. */
export interface DemandClasses {
  /** The mode that is solved: `load` without end-to-end times is `none`. */
  readonly routing: RouterKnowledge;
  /** req/s per class, above 0. */
  readonly rates: Float64Array;
  /** Class of each row of demand; -1 where nothing arrives or no variant serves anything at all. */
  readonly classOf: readonly number[];
  readonly ways: readonly RoutingWay[];
}

/**
 * The classes of a model under one mode, and the ways to spread them. The model's variants are in order of name.
 *
 * - `size`: every row is a class. `input`: rows of one input size are. Loads of rows add. One way.
 * - A class may go to a variant unless more than the variant's `sloShare` of its requests are beyond the SLO there. Where
 *   that leaves no variant, it may go where the least share is beyond: demand beyond every SLO still arrives.
 * - `none`: one class, and every replica gets the same share of it. With A_g the load of all demand on g, N replicas carry
 *   it when N >= A_g for every type in use. One way for each variant h as the slowest: those no slower are open, at load
 *   A_h, and the cheapest of them fill it.
 * - `load`: one class; every replica holds the same number in flight, at most the smallest limit among the types in use,
 *   n_g = throughput x mean end-to-end time. A replica of g then serves n_h / e2e_g, so its load is rate x e2e_g / n_h. One
 *   way for each variant h as the one with the smallest limit.
 * - In both, a floor (minReplicas) puts a variant into use whatever its SLO: the router sends it requests all the same. A
 *   variant that serves nothing at all may only stand by.
 */
export const demandClasses = (model: Model, routing: RouterKnowledge): DemandClasses => {
  const order = rowOrder(model);
  const effective = routing === 'load' && !knowsTimes(model) ? 'none' : routing;
  const grouped = new Map<number, number[]>();
  for (const row of order) {
    const { inputTokens, arrivalRate } = element(model.demand, row);
    if (arrivalRate === 0) continue;
    const key = effective === 'size' ? row : effective === 'input' ? inputTokens : 0;
    const rows = grouped.get(key);
    if (rows === undefined) grouped.set(key, [row]);
    else rows.push(row);
  }
  const pooled = effective === 'load' || effective === 'none';
  const classes = [...grouped.values()]
    .map((rows) => ({ rows, loads: classLoads(model, rows, pooled) }))
    .filter(({ loads }) => loads.some((load) => load < Number.POSITIVE_INFINITY));
  const classOf = model.demand.map(() => -1);
  for (const [c, { rows }] of classes.entries()) for (const row of rows) classOf[row] = c;
  const rates = Float64Array.from(classes, ({ rows }) => rateOf(model.demand, rows));
  const single = { loads: Float64Array.from(classes.flatMap(({ loads }) => loads)), open: everyVariant(model) };
  const ways =
    classes.length === 0 || !pooled
      ? [single]
      : effective === 'none'
        ? waysOfNone(model, element(classes, 0).loads)
        : waysOfLoad(model, element(classes, 0).loads, element(classes, 0).rows);
  return { routing: effective, rates, classOf, ways };
};

/**
 * Share of each row of demand on each variant, row x variant, from the share of each class; rows of no class have none.
 * Where every replica or every request in flight counts the same, the shares follow from the replicas.
 */
export const rowShares = (
  classes: DemandClasses,
  way: number,
  replicas: ArrayLike<number>,
  assignment: Float64Array,
): (number[] | null)[] => {
  const types = replicas.length;
  const pooled = classes.routing === 'load' || classes.routing === 'none';
  const ofClass = Array.from(classes.rates, (_, c) => {
    if (way < 0) return null;
    const { loads } = element(classes.ways, way);
    const weights = Array.from({ length: types }, (__, g) => {
      if (!pooled) return element(assignment, c * types + g);
      return loads[g] === Number.POSITIVE_INFINITY ? 0 : element(replicas, g) / element(loads, g);
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return sum > 0 ? weights.map((weight) => weight / sum) : null;
  });
  return classes.classOf.map((c) => (c < 0 ? null : element(ofClass, c)));
};

/** Whether a class may go to a variant in any way. */
export const canServe = ({ ways, rates }: DemandClasses, c: number, g: number): boolean =>
  ways.some(({ loads }) => element(loads, c * (loads.length / rates.length) + g) < Number.POSITIVE_INFINITY);

/** Rows in an order that does not depend on the document's: sums come out the same to the last bit. */
const rowOrder = ({ demand, variants }: Model): number[] =>
  demand
    .map((_, row) => row)
    .sort((a, b) => {
      const [left, right] = [demand[a]!, demand[b]!];
      return (
        left.inputTokens - right.inputTokens ||
        left.outputTokens - right.outputTokens ||
        left.arrivalRate - right.arrivalRate ||
        firstDifference(variants, a, b)
      );
    });

/** Of two rows of the same size and rate. */
const firstDifference = (variants: readonly Variant[], a: number, b: number): number => {
  for (const rates of ['throughputBeyondSlo', 'throughput'] as const)
    for (const variant of variants) {
      const difference = variant[rates][a]! - variant[rates][b]!;
      if (difference !== 0) return difference;
    }
  return 0;
};

const everyVariant = ({ variants }: Model): Uint8Array => new Uint8Array(variants.length).fill(1);
const rateOf = (demand: readonly DemandRow[], rows: readonly number[]): number =>
  rows.reduce((sum, row) => sum + element(demand, row).arrivalRate, 0);

/** What would take more replicas than this is not served: a throughput that small is noise, or an error in a document. */
const mostReplicas = 1e9;

/** Load of a class on each variant, Infinity where it may not go. `pooled`: floors let it go wherever they are. */
const classLoads = ({ demand, variants }: Model, rows: readonly number[], pooled: boolean): number[] => {
  const rate = rateOf(demand, rows);
  const candidates = variants.map((variant) => {
    let [load, beyond] = [0, 0];
    for (const row of rows) {
      const { arrivalRate } = demand[row]!;
      load += arrivalRate / variant.throughputBeyondSlo[row]!;
      if (variant.throughput[row] === 0) beyond += arrivalRate;
    }
    return {
      load: possible(load),
      beyond: beyond / rate,
      most: variant.sloShare ?? defaultSloShare,
      floor: pooled && variant.minReplicas > 0,
    };
  });
  const serving = candidates.filter(({ load }) => load < Number.POSITIVE_INFINITY);
  const within = serving.some(({ beyond, most }) => beyond <= most + 1e-12);
  const least = Math.min(...serving.map(({ beyond }) => beyond));
  return candidates.map(({ load, beyond, most, floor }) =>
    floor || (within ? beyond <= most + 1e-12 : beyond <= least + 1e-12) ? load : Number.POSITIVE_INFINITY,
  );
};

const possible = (load: number): number => (load <= mostReplicas ? load : Number.POSITIVE_INFINITY);

/** One way per pace, the rank of a variant as the slowest: those that rank no later are open, at the load of that pace. */
const waysByPace = (
  { variants }: Model,
  loads: readonly number[],
  pace: readonly number[],
  loadAt: (g: number, pace: number) => number,
): RoutingWay[] => {
  const serves = loads.map((load) => load < Number.POSITIVE_INFINITY);
  const forced = Math.max(...pace.filter((_, g) => serves[g] && element(variants, g).minReplicas > 0), Number.NEGATIVE_INFINITY);
  const paces = [...new Set(pace.filter((_, g) => serves[g]))].filter((slowest) => slowest >= forced).sort((a, b) => a - b);
  return paces.map((slowest) => {
    const open = variants.map((variant, g) => (serves[g] ? element(pace, g) <= slowest : variant.minReplicas > 0));
    return {
      open: Uint8Array.from(open, (may) => (may ? 1 : 0)),
      loads: Float64Array.from(open, (may, g) => (may && serves[g] ? loadAt(g, slowest) : Number.POSITIVE_INFINITY)),
    };
  });
};

const waysOfNone = (model: Model, loads: readonly number[]): RoutingWay[] =>
  waysByPace(model, loads, loads, (_, slowest) => slowest);

const waysOfLoad = (model: Model, loads: readonly number[], rows: readonly number[]): RoutingWay[] => {
  const { demand, variants } = model;
  const seconds = variants.map(
    ({ e2eSeconds }) =>
      rows.reduce((sum, row) => sum + element(demand, row).arrivalRate * (e2eSeconds?.[row] ?? 0), 0) / rateOf(demand, rows),
  );
  const rate = rateOf(demand, rows);
  const inFlight = loads.map((load, g) => (rate / load) * element(seconds, g));
  return waysByPace(
    model,
    loads,
    inFlight.map((limit) => -limit),
    (g, pace) => (rate * element(seconds, g)) / -pace,
  );
};

/** Whether every variant that serves anything has an end-to-end time for every row that arrives. */
const knowsTimes = ({ demand, variants }: Model): boolean =>
  variants
    .filter(({ throughput }) => throughput.some((rate) => rate > 0))
    .every((variant) => demand.every(({ arrivalRate }, row) => arrivalRate === 0 || secondsOf(variant, row) > 0));

const secondsOf = ({ e2eSeconds }: Variant, row: number): number => e2eSeconds?.[row] ?? 0;
