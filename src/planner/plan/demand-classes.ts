import type { Way } from '../../solver/fleet.ts';
import { element } from '../../vocabulary/list-element.ts';
import type { Model, RouterKnowledge, Variant } from '../../vocabulary/planning-documents.ts';

/** Share of a class that may be beyond a variant's SLO, where its profile names no percentile. */
export const defaultSloShare = 0.01;

/** What a router can tell apart: demand rows that it treats alike are one class. */
export interface DemandClasses {
  /** What is solved for: `load` without end-to-end times is `none`. */
  readonly routerKnowledge: RouterKnowledge;
  /** req/s per class, above 0. */
  readonly rates: Float64Array;
  /** Class of each row of demand; -1 where nothing arrives or no variant serves anything at all. */
  readonly classOf: Int32Array;
  readonly ways: readonly Way[];
}

/**
 * The classes of a model by what its router knows, and the ways to spread them. The model's variants are in order of name.
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
export const demandClasses = (model: Model, routerKnowledge: RouterKnowledge): DemandClasses => {
  const effective = routerKnowledge === 'load' && !knowsTimes(model) ? 'none' : routerKnowledge;
  const replicasAlike = effective === 'load' || effective === 'none';
  const { classOf, rows, rates, loads } = servable(model, loadedClasses(model, effective));
  const ways =
    rates.length === 0 || !replicasAlike
      ? [{ loads, open: everyVariant(model) }]
      : effective === 'none'
        ? waysOfNone(model, [...loads])
        : waysOfLoad(model, [...loads], rows, rates[0]!);
  return { routerKnowledge: effective, rates, classOf, ways };
};

/**
 * Share of each row of demand on each variant, row x variant, from the share of each class; rows of no class have none.
 * Where every replica or every request in flight counts the same, the shares follow from the replicas. Classes in a row that are
 * spread alike have the same list.
 */
export const rowShares = (
  classes: DemandClasses,
  way: number,
  replicas: ArrayLike<number>,
  assignment: Float64Array,
): (readonly number[] | null)[] => {
  if (way < 0) return Array.from(classes.classOf, () => null);
  const types = replicas.length;
  const replicasAlike = classes.routerKnowledge === 'load' || classes.routerKnowledge === 'none';
  const { loads } = element(classes.ways, way);
  const weight = (c: number, g: number): number => {
    if (!replicasAlike) return assignment[c * types + g]!;
    return loads[g] === Number.POSITIVE_INFINITY ? 0 : element(replicas, g) / loads[g]!;
  };
  const shares = new Float64Array(types);
  let last: readonly number[] | null = null;
  const ofClass = Array.from(classes.rates, (_, c): readonly number[] | null => {
    let sum = 0;
    for (let g = 0; g < types; g += 1) sum += weight(c, g);
    if (!(sum > 0)) return null;
    for (let g = 0; g < types; g += 1) shares[g] = weight(c, g) / sum;
    if (!shares.every((share, g) => share === last?.[g])) last = [...shares];
    return last;
  });
  return Array.from(classes.classOf, (c) => (c < 0 ? null : element(ofClass, c)));
};

/** Whether a class may go to a variant in any way. */
export const canServe = ({ ways, rates }: DemandClasses, c: number, g: number): boolean =>
  ways.some(({ loads }) => element(loads, c * (loads.length / rates.length) + g) < Number.POSITIVE_INFINITY);

/** Rows by class. */
interface RowClasses {
  /** Class of each row; -1 where nothing arrives. */
  readonly classOf: Int32Array;
  /** Those of any class, in order. */
  readonly rows: readonly number[];
  /** Of classes. */
  readonly count: number;
}

/** The rows that a router treats alike. */
const alike = (model: Model, routerKnowledge: RouterKnowledge): RowClasses => {
  const { demand } = model;
  const rows = rowOrder(model).filter((row) => demand[row]!.arrivalRate !== 0);
  const classOf = new Int32Array(demand.length).fill(-1);
  if (routerKnowledge === 'size') {
    for (let c = 0; c < rows.length; c += 1) classOf[rows[c]!] = c;
    return { classOf, rows, count: rows.length };
  }
  const byInput = new Map<number, number>();
  for (const row of rows) {
    const key = routerKnowledge === 'input' ? demand[row]!.inputTokens : 0;
    if (!byInput.has(key)) byInput.set(key, byInput.size);
    classOf[row] = byInput.get(key)!;
  }
  return { classOf, rows, count: byInput.size };
};

/** With their numbers in flat arrays: with many models these are a good part of what a tick allocates. */
interface LoadedClasses extends Omit<RowClasses, 'count'> {
  readonly rates: Float64Array;
  /** See {@link Way}. */
  readonly loads: Float64Array;
}

/** The load of each class on each variant: Infinity where it may not go. */
const loadedClasses = (model: Model, routerKnowledge: RouterKnowledge): LoadedClasses => {
  const { demand, variants } = model;
  const { classOf, rows, count } = alike(model, routerKnowledge);
  const types = variants.length;
  const rates = new Float64Array(count);
  const loads = new Float64Array(count * types);
  const beyond = new Float64Array(count * types);
  for (const row of rows) {
    const { arrivalRate } = demand[row]!;
    const c = classOf[row]!;
    rates[c]! += arrivalRate;
    for (let g = 0; g < types; g += 1) {
      const { throughput, throughputBeyondSlo } = variants[g]!;
      loads[c * types + g]! += arrivalRate / throughputBeyondSlo[row]!;
      if (throughput[row] === 0) beyond[c * types + g]! += arrivalRate;
    }
  }
  const replicasAlike = routerKnowledge === 'load' || routerKnowledge === 'none';
  for (let c = 0; c < count; c += 1) closeBeyondSlo(model, replicasAlike, rates[c]!, loads, beyond, c * types);
  return { classOf, rows, rates, loads };
};

/** Rows in an order that does not depend on the document's: sums come out the same to the last bit. */
const rowOrder = ({ demand, variants }: Model): number[] =>
  demand
    .map((_, row) => row)
    .sort((a, b) => {
      const left = demand[a]!;
      const right = demand[b]!;
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

/** What would take more replicas than this is not served: a throughput that small is noise, or an error in a document. */
const mostReplicas = 1e9;

/**
 * Sets the load of the class at an index of both arrays to Infinity on each variant where it may not go.
 * @param replicasAlike the router treats them alike: floors let it go wherever they are
 * @param beyond what of the class is beyond the SLO of each variant (req/s)
 */
const closeBeyondSlo = (
  { variants }: Model,
  replicasAlike: boolean,
  rate: number,
  loads: Float64Array,
  beyond: Float64Array,
  at: number,
): void => {
  let [within, least] = [false, Number.POSITIVE_INFINITY];
  const mayMiss = (g: number): number => (variants[g]!.sloShare ?? defaultSloShare) + 1e-12;
  for (let g = 0; g < variants.length; g += 1) {
    if (!(loads[at + g]! <= mostReplicas)) loads[at + g] = Number.POSITIVE_INFINITY;
    if (loads[at + g] === Number.POSITIVE_INFINITY) continue;
    const share = beyond[at + g]! / rate;
    within ||= share <= mayMiss(g);
    least = Math.min(least, share);
  }
  for (let g = 0; g < variants.length; g += 1) {
    const floor = replicasAlike && variants[g]!.minReplicas > 0;
    if (!floor && beyond[at + g]! / rate > (within ? mayMiss(g) : least + 1e-12)) loads[at + g] = Number.POSITIVE_INFINITY;
  }
};

/** Without the classes that no variant serves at all. */
const servable = ({ variants }: Model, classes: LoadedClasses): LoadedClasses => {
  const types = variants.length;
  const indexes = new Int32Array(classes.rates.length).fill(-1);
  let count = 0;
  for (let c = 0; c < indexes.length; c += 1)
    for (let g = 0; g < types && indexes[c]! < 0; g += 1)
      if (classes.loads[c * types + g]! < Number.POSITIVE_INFINITY) {
        indexes[c] = count;
        count += 1;
      }
  if (count === indexes.length) return classes;
  const kept = (_: number, c: number): boolean => indexes[c]! >= 0;
  return {
    classOf: classes.classOf.map((c) => (c < 0 ? -1 : indexes[c]!)),
    rows: classes.rows.filter((row) => indexes[classes.classOf[row]!]! >= 0),
    rates: classes.rates.filter(kept),
    loads: classes.loads.filter((_, index) => indexes[Math.floor(index / types)]! >= 0),
  };
};

/** One way per rank of a variant as the slowest: those that rank no later are open, at the load of that rank. */
const waysBySlowest = (
  { variants }: Model,
  loads: readonly number[],
  ranks: readonly number[],
  loadAt: (g: number, rank: number) => number,
): Way[] => {
  const serves = loads.map((load) => load < Number.POSITIVE_INFINITY);
  const forced = Math.max(...ranks.filter((_, g) => serves[g] && element(variants, g).minReplicas > 0), Number.NEGATIVE_INFINITY);
  const slowestRanks = [...new Set(ranks.filter((_, g) => serves[g]))]
    .filter((slowest) => slowest >= forced)
    .sort((a, b) => a - b);
  return slowestRanks.map((slowest) => {
    const open = variants.map((variant, g) => (serves[g] ? element(ranks, g) <= slowest : variant.minReplicas > 0));
    return {
      open: Uint8Array.from(open, (may) => (may ? 1 : 0)),
      loads: Float64Array.from(open, (may, g) => (may && serves[g] ? loadAt(g, slowest) : Number.POSITIVE_INFINITY)),
    };
  });
};

const waysOfNone = (model: Model, loads: readonly number[]): Way[] => waysBySlowest(model, loads, loads, (_, slowest) => slowest);

const waysOfLoad = (model: Model, loads: readonly number[], rows: readonly number[], rate: number): Way[] => {
  const { demand, variants } = model;
  const seconds = variants.map(
    ({ e2eSeconds }) => rows.reduce((sum, row) => sum + element(demand, row).arrivalRate * (e2eSeconds?.[row] ?? 0), 0) / rate,
  );
  const inFlight = loads.map((load, g) => (rate / load) * element(seconds, g));
  return waysBySlowest(
    model,
    loads,
    inFlight.map((limit) => -limit),
    (g, rank) => (rate * element(seconds, g)) / -rank,
  );
};

/** Whether every variant that serves anything has an end-to-end time for every row that arrives. */
const knowsTimes = ({ demand, variants }: Model): boolean =>
  variants
    .filter(({ throughput }) => throughput.some((rate) => rate > 0))
    .every((variant) => demand.every(({ arrivalRate }, row) => arrivalRate === 0 || secondsOf(variant, row) > 0));

const secondsOf = ({ e2eSeconds }: Variant, row: number): number => e2eSeconds?.[row] ?? 0;
