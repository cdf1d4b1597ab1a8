import type { Fleet } from './fleet.ts';
import type { Level } from './levels.ts';
import { withNowhere, without } from './nowhere.ts';
import type { SearchOptions } from './one-model.ts';
import { SharedStock } from './shared-stock.ts';

/**
 * A request of a higher priority counts as so many of the lowest. A larger number multiplies what is not known of the higher
 * ones too. A smaller one would leave requests of the higher ones unserved so as to serve the lowest.
 */
const worth = 10;

/**
 * A lower limit on what the lowest of some priorities leaves unserved. It holds for every plan that leaves no more of the higher
 * ones than is known to suffice, which is U of all of them. W is the price of an unserved request per second of the lowest, L W
 * that of a higher one, and C is what all GPUs cost at the most:
 *
 *   W unserved + L W U + cost >= bound  =>  unserved >= (bound - C) / W - L U.
 *
 * @param levels the highest first; the last is the one that is asked for
 * @param left req/s that each of the others may leave unserved
 * @param ceiling C, and `price` W, in money/h
 * @param unit req/s that count as one replica of nowhere
 * @returns req/s
 */
export const leastUnservedOfLowest = (
  fleet: Fleet,
  levels: readonly Level[],
  left: readonly number[],
  { ceiling, price, unit }: { readonly ceiling: number; readonly price: number; readonly unit: number },
  options: SearchOptions,
): { readonly leastUnserved: number; readonly nodes: number } => {
  const lowest = new Set(levels.at(-1)!.models);
  const looked = new Set(levels.flatMap(({ models }) => models));
  const models = fleet.models.map((model, m) => {
    const demand = model.rates.reduce((sum, rate) => sum + rate, 0);
    return looked.has(m) ? withNowhere(model, lowest.has(m) ? price : worth * price, demand, unit) : without(model);
  });
  const { bound, nodes } = new SharedStock({ ...fleet, models }, options).bound();
  const higher = left.slice(0, levels.length - 1).reduce((sum, requests) => sum + requests, 0);
  return { leastUnserved: Math.max(0, (bound - ceiling) / price - worth * higher), nodes };
};
