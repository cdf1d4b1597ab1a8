import { firstPlan } from './first-plan.ts';
import { costCeiling, type Fleet, floorMixes } from './fleet.ts';
import { Joint } from './joint.ts';
import { leastUnservedOfLowest } from './least-unserved.ts';
import type { Level } from './levels.ts';
import { withNowhere, without } from './nowhere.ts';
import { partOf, type SearchOptions } from './one-model.ts';
import { SharedStock } from './shared-stock.ts';
import { roundingTolerance } from './tolerances.ts';

/** Mixes of all models, and what the prices of the stock prove of what they leave unserved. */
export interface ServedTogether {
  readonly mixes: readonly Float64Array[];
  /** req/s that each priority leaves unserved in every plan that leaves no more of any higher one than these mixes. */
  readonly leastUnserved: readonly number[];
  /** req/s that may be servable beyond what these mixes serve. */
  readonly maybeServable: number;
  readonly nodes: number;
}

/** Share of the work left that one priority may take. */
const mostOfOneStep = 0.7;
/**
 * Share of the work left for what lower priorities can be served at all, where the unserved share of one is not
 * known this well.
 */
const [leastShare, wellKnown] = [0.5, 1e-3];
/** So large a share of the demand is worth more than all GPUs together: what is served comes before what it costs. */
const decisiveShare = 1e-4;
/**
 * A priority that is settled is worth this share of the one that is looked at; once all are, all are worth this share
 * of the ceiling.
 */
const [settledShare, lastShare] = [1e-9, 1e-12];
/** Where nothing arrives, or nothing serves, a quotient still has a divisor (req/s). */
const [leastDemand, leastUnit] = [1e-12, 1e-9];

/**
 * The most that models on common stock can serve, by the search for what costs least. Each model has one variant more,
 * "nowhere". It is no machine and takes any share of any class, and a request there costs more than everything else does. The
 * highest priority comes first. What each of its models leaves unserved is then the most that it may leave, while the next
 * priority is looked at. The costs come last.
 *
 * W is the price of an unserved request per second, and C is what all GPUs cost at the most:
 *
 *   W unserved + cost >= bound  =>  unserved >= (bound - C) / W.
 *
 * That says nothing of a lower priority, as the models of the higher ones were held. least-unserved.ts answers for it.
 *
 * @param starts mixes within bounds and stock to start from
 */
export const servedTogether = (
  fleet: Fleet,
  levels: readonly Level[],
  options: SearchOptions,
  starts: readonly (readonly Float64Array[])[] = [],
): ServedTogether => {
  const demands = fleet.models.map(({ rates }) => rates.reduce((sum, rate) => sum + rate, 0));
  const most = [...demands];
  const [ceiling, unit] = [costCeiling(fleet), unitOf(fleet)];
  const floors = floorMixes(fleet);
  let mixes: readonly Float64Array[] = floors;
  const demandOf = ({ models }: Level): number => models.reduce((sum, m) => sum + demands[m]!, 0);
  const decisivePrice = (level: Level): number => ceiling / Math.max(leastDemand, decisiveShare * demandOf(level));
  const leastUnserved: number[] = [];
  let nodes = 0;
  let steps = levels.length + 1;
  const joint = new Joint(fleet, demands, options.work);
  const solved = (priceOf: (m: number) => number, among: ReadonlySet<number>) => {
    const models = fleet.models.map((model, m) =>
      among.has(m) ? withNowhere(model, priceOf(m), most[m]!, unit) : without(model),
    );
    const result = new SharedStock(
      { ...fleet, models },
      { ...options, ...partOf(options.work, Math.min(mostOfOneStep, 1.5 / steps--)) },
    ).glance((poolPrices) =>
      [...starts, ...[floors, mixes].map((kept) => firstPlan(only(fleet, among), levels, joint.work, kept, poolPrices))].flatMap(
        (start) => {
          const left = start.map((mix, m) => (among.has(m) ? joint.unserved(m, mix) : 0));
          if (left.some((requests, m) => requests > most[m]! + roundingTolerance * demands[m]!)) return [];
          return [
            start.map((mix, m) => (among.has(m) ? Float64Array.of(...mix, Math.min(left[m]!, most[m]!) / unit) : floors[m]!)),
          ];
        },
      ),
    );
    nodes += result.nodes;
    return result;
  };
  const among = new Set<number>();
  for (const level of levels) {
    for (const m of level.models) among.add(m);
    const price = decisivePrice(level);
    const current = new Set(level.models);
    const result = solved((m) => (current.has(m) ? price : price * settledShare), among);
    if (result.mixes === null)
      return {
        mixes: firstPlan(fleet, levels, joint.work, mixes),
        leastUnserved: levels.map((_, l) => leastUnserved[l] ?? 0),
        maybeServable: demands.reduce((sum, more) => sum + more, 0),
        nodes,
      };
    const unserved = (m: number): number => unit * result.mixes![m]!.at(-1)!;
    for (const m of level.models) most[m] = unserved(m);
    leastUnserved.push(leastUnserved.length === 0 ? Math.max(0, (result.bound - ceiling) / price) : 0);
    mixes = result.mixes.map((mix, m) => (among.has(m) ? mix.slice(0, -1) : mix));
  }
  const cheapest = solved(() => ceiling * lastShare, among);
  if (cheapest.mixes !== null) mixes = cheapest.mixes.map((mix) => mix.slice(0, -1));
  const left = levels.map(({ models }) => models.reduce((sum, m) => sum + most[m]!, 0));
  for (let l = 1; l < levels.length; l++) {
    if (left[l]! <= wellKnown * demandOf(levels[l]!)) continue;
    const part = { ...options, ...partOf(options.work, leastShare) };
    const worth = { ceiling, unit, price: decisivePrice(levels[l]!) };
    const found = leastUnservedOfLowest(fleet, levels.slice(0, l + 1), left, worth, part);
    leastUnserved[l] = Math.min(left[l]!, found.leastUnserved);
    nodes += found.nodes;
  }
  const maybeServable = left.reduce((sum, more, l) => sum + Math.max(0, more - leastUnserved[l]!), 0);
  return { mixes, leastUnserved, maybeServable, nodes };
};

/** The fleet without the demand of models that are not looked at yet. */
const only = (fleet: Fleet, among: ReadonlySet<number>): Fleet => ({
  ...fleet,
  models: fleet.models.map((model, m) => (among.has(m) ? model : without(model))),
});

/**
 * The most requests per second that any GPU serves: what counts as one replica of nowhere, so that its price is that of a GPU.
 */
const unitOf = ({ models }: Fleet): number =>
  models.reduce(
    (most, { rates, variants, ways }) =>
      ways.reduce((more, { loads }) => {
        let found = more;
        for (let at = 0; at < loads.length; at++) {
          const served =
            rates[Math.floor(at / variants.length)]! / (loads[at]! * Math.max(1, variants[at % variants.length]!.gpus));
          if (served > found && served < Number.POSITIVE_INFINITY) found = served;
        }
        return found;
      }, most),
    leastUnit,
  );
