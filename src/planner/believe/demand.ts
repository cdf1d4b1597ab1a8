import type { DemandRow } from '../../vocabulary/planning-documents.ts';
import { recordOf } from '../../workload/workload.ts';
import { backlogRates, type DecidedSources } from './backlog-demand.ts';
import type { DemandHistory } from './demand-history.ts';
import type { Forecast } from './forecast.ts';
import { heldUnder, type NameSettings, type NameSources, type RatedName, ratedNames, recordedNames } from './rated-names.ts';
import { demandOf, mergedDemand } from './rates-and-shapes.ts';
import type { Strain } from './strain-from-backlog.ts';

/** What to plan for, or why there is nothing to plan for yet, so that what stands goes on standing. */
export interface DemandNow {
  readonly demand: readonly DemandRow[] | null;
  readonly waitReason: string | null;
  /** What was seen of each name so far, and what arrives now (req/s). */
  readonly histories: ReadonlyMap<string, DemandHistory>;
  readonly rates: ReadonlyMap<string, number>;
  /** What was learned of the engines under each name. */
  readonly strains: ReadonlyMap<string, Strain>;
  /** Where one was believed. */
  readonly forecast: Forecast | null;
  /** Extra demand in it, for what noise and earlier misses ask for; 0.1 = 10 %. */
  readonly headroom: number;
  /** Extra demand that noise may bring; another mix must have room for it. */
  readonly noise: number;
}

export interface DemandSettings extends NameSettings {
  /** Requests that wait beyond what is normal are to be worked off within so long by what runs and starts (s). */
  readonly backlogSeconds: number;
}

export interface DemandSources extends NameSources, DecidedSources {
  /** Share of the arrivals under these names that is this group's. */
  readonly arrivalShare: number;
  readonly decidedBefore: boolean;
}

/** Demand of a fresh model: arrivals now or as foreseen, and what waits, by size, headroom included. */
export const demandNow = (sources: DemandSources, settings: DemandSettings): DemandNow => {
  const names = recordedNames(sources);
  const held = heldUnder(sources);
  const records = names.flatMap(({ intervals }) => intervals).filter((interval) => recordOf(interval) !== null).length;
  if (records < 2 && !sources.decidedBefore && held.size === 0)
    return nothingYet('only one interval has been seen; the first plan waits for two', []);
  const rated = ratedNames(sources, names, held, settings);
  const arriving = rated.filter(({ name, rate }) => rate > 0 || held.has(name));
  if (arriving.length === 0) return nothingYet('no request arrived of late', rated);
  const extra = backlogRates(arriving, sources, settings);
  const demands = arriving.flatMap(({ name, ahead, growthOfWork, shape, strain, headroom }) => {
    if (shape === undefined) return [];
    const rate = (ahead.rate * growthOfWork + extra.get(name)!) * strain.factor * sources.arrivalShare;
    return [demandOf(rate, shape, headroom)];
  });
  if (demands.length === 0) return nothingYet('requests arrive, but none has ended yet that told its size', rated);
  const believed = arriving.find(({ ahead }) => ahead.method !== 'as now');
  const total = arriving.reduce((sum, { ahead }) => sum + ahead.rate * sources.arrivalShare, 0);
  const headroomRate = arriving.reduce((sum, { ahead, headroom }) => sum + headroom * ahead.rate * sources.arrivalShare, 0);
  return {
    demand: mergedDemand(demands),
    waitReason: null,
    ...seenOf(rated),
    headroom: total === 0 ? settings.headroom : headroomRate / total,
    noise: Math.max(...arriving.map(({ noise }) => noise)),
    forecast: believed === undefined ? null : { method: believed.ahead.method, rate: total },
  };
};

const nothingYet = (waitReason: string, rated: readonly RatedName[]): DemandNow => ({
  demand: null,
  waitReason,
  ...seenOf(rated),
  forecast: null,
  headroom: 0,
  noise: 0,
});

const seenOf = (rated: readonly RatedName[]): Pick<DemandNow, 'histories' | 'rates' | 'strains'> => ({
  histories: new Map(rated.map(({ name, history }) => [name, history])),
  rates: new Map(rated.map(({ name, rate }) => [name, rate])),
  strains: new Map(rated.map(({ name, strain }) => [name, strain])),
});
