import { maximise } from './concave.ts';
import { dearestGpu } from './fleet.ts';
import { type Priced, type PricedFleet, roughGap } from './priced-fleet.ts';
import type { WorkBudget } from './work-budget.ts';

/** Shares of the work left for prices by the relaxations, and by whole mixes. */
const relaxedShare = 0.25;
const wholeShare = 0.7;
const rounds = 30;
/** {@link roughGap} once the prices are nearly right. */
const fineGap = 1e-5;
/** The tangents' promise (share of the bound) that ends the search for prices by relaxations, and by columns that are there. */
const [relaxedPromise, columnPromise] = [1e-5, 1e-6];
/** A round of whole mixes is worth its work for a promise above the first, and rough ones will do above the second. */
const [leastPromise, greatPromise] = [5e-5, 2e-3];
/** Where rounds were cut, few mixes were met: so many times the prices are varied by up to so much, for more of them. */
const [variedRounds, variation, variedShare] = [12, 0.05, 0.3];
/** Prices of the pools up to which a proof that the stock does not suffice is sought (of the dearest GPU's). */
const hopelessPrice = 1e5;
/** The promise (share of the ceiling) that ends the search for that proof. */
const hopelessPromise = 1e-6;

/**
 * The prices of the pools with the highest bound: by the relaxations first, then by whole mixes.
 * @param ceiling what no choice costs more than (money/h)
 * @returns null where the bound is above the ceiling: the stock does not suffice
 */
export const bestPrices = (priced: PricedFleet, ceiling: number): Priced | null => {
  const { fleet, work } = priced;
  const dearest = dearestGpu(fleet);
  if (gpusOver(priced) === null) return null;
  const zero = new Float64Array(fleet.stock.length);
  const relaxed = maximise((poolPrices) => priced.relaxed(poolPrices), {
    start: zero,
    least: zero,
    most: zero.map(() => 50 * dearest),
    radius: dearest / 4,
    enough: (value) => relaxedPromise * Math.abs(value),
    rounds: 200,
    work: work.part(relaxedShare),
  });
  if (relaxed.value > ceiling) return null;
  const best = byWholeMixes(priced, relaxed.x, dearest);
  return best.bound > ceiling ? null : best;
};

/** Whether prices as high as needed prove what usual ones do not: that no choice is within the stock. */
export const isHopeless = (priced: PricedFleet, start: Float64Array, ceiling: number): boolean => {
  const most = hopelessPrice * dearestGpu(priced.fleet);
  const { value } = maximise((poolPrices) => priced.relaxed(poolPrices), {
    start,
    least: start.map(() => 0),
    most: start.map(() => most),
    radius: most / 8,
    enough: (bound) => (bound > ceiling ? Number.POSITIVE_INFINITY : hopelessPromise * ceiling),
    rounds: 200,
    work: priced.work.part(relaxedShare),
  });
  return value > ceiling;
};

/**
 * GPUs above each pool's stock where each model takes what is cheapest for it, by the relaxations; null where some
 * model has no mix.
 */
export const gpusOver = (priced: PricedFleet): Float64Array | null => {
  const { value, slope } = priced.relaxed(new Float64Array(priced.fleet.stock.length));
  return value === Number.POSITIVE_INFINITY ? null : slope;
};

/** What the columns so far ask for, near the best prices so far while they promise too much. */
const byWholeMixes = (priced: PricedFleet, start: Float64Array, dearest: number): Priced => {
  const pricing = priced.work.part(wholeShare);
  let best = priced.byWholeMixes(start, roughGap, pricing);
  let { cut } = best;
  let region = dearest / 150;
  for (let round = 1; round < rounds && !pricing.spent && priced.hasColumns; round++) {
    const promising = maximise((poolPrices) => priced.byColumns(poolPrices), {
      start: best.poolPrices,
      least: best.poolPrices.map((price) => Math.max(0, price - region)),
      most: best.poolPrices.map((price) => price + region),
      radius: region,
      enough: (value) => columnPromise * Math.abs(value),
      rounds: 100,
      work: pricing,
    });
    const promised = promising.value - best.bound;
    if (promised <= leastPromise * Math.abs(best.bound)) break;
    const next = priced.byWholeMixes(promising.x, promised > greatPromise * Math.abs(best.bound) ? roughGap : fineGap, pricing);
    region *= next.bound - best.bound > 0.5 * promised ? 2 : 0.4;
    cut ||= next.cut;
    if (next.bound > best.bound) best = next;
    // With still less work the next round would prove still less.
    else if (next.cut) break;
  }
  if (cut) meetNear(priced, best.poolPrices, priced.work.part(variedShare));
  return best;
};

const meetNear = (priced: PricedFleet, poolPrices: Float64Array, work: WorkBudget): void => {
  for (let round = 1; round <= variedRounds && !work.spent; round++) {
    const near = poolPrices.map((price, k) => price * (1 + variation * ((((7 * round + 5 * k) % 9) - 4) / 4)));
    priced.meet(near, work.part(1 / (variedRounds + 1 - round)));
  }
};
