import type { Decision } from '../../vocabulary/target.ts';
import { newestRecord } from '../../workload/workload.ts';
import { type Margin, marginNow } from './attainment-margin.ts';
import type { Candidate } from './candidates.ts';
import { type DemandHistory, demandHistoryWith, foreseenGrowthOfWork, foreseenRate, type SeenDemand } from './demand-history.ts';
import { caughtUp, type Forecast } from './forecast.ts';
import { arrivalGrowth, arrivalRate, type Coverage, type RateSettings, type Shape } from './rates-and-shapes.ts';
import type { TrustedHistory, TrustedWorkload } from './record-defects.ts';
import { meanSeconds } from './request-seconds.ts';
import { meanOfAll, meanWork, type RequestWorks, requestWorks } from './request-work.ts';
import { type Strain, strainNow } from './strain-from-backlog.ts';

export interface NameSettings extends RateSettings {
  /** How far ahead demand is looked for: what a replica takes to start (s). */
  readonly startupSeconds: number;
  /** Share of requests within the limits of the profiles that is asked for; null = headroom alone is planned for. */
  readonly attainment: number | null;
}

export interface NameSources {
  /** The model's own name, and others that its requests go by. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly workload: TrustedWorkload | null;
  readonly silentUntil: number;
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly histories: ReadonlyMap<string, DemandHistory>;
  readonly strains: ReadonlyMap<string, Strain>;
  /** What was decided last, by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  readonly candidates: readonly Candidate[];
}

/** What is known of the requests that go by one name. */
export interface RatedName {
  readonly name: string;
  /** req/s, without headroom, now and as foreseen. */
  readonly rate: number;
  readonly ahead: Forecast;
  /** How many times the work of today a request is foreseen to be. */
  readonly growthOfWork: number;
  readonly history: DemandHistory;
  readonly strain: Strain;
  readonly shape: Shape | undefined;
  /** What a request takes by the profiles; null = its size is not known. */
  readonly works: RequestWorks | null;
  /** Requests that wait beyond what is normal. */
  readonly backlog: number;
  readonly headroom: number;
  readonly noise: number;
}

type RecordedName = TrustedHistory & { readonly name: string };
type HeldUnder = ReturnType<typeof heldUnder>;

/** The names of the model that there are records of. */
export const recordedNames = ({ aliases, workload }: NameSources): readonly RecordedName[] =>
  aliases.flatMap((name) => {
    const history = workload?.names.get(name);
    return history === undefined ? [] : [{ name, ...history }];
  });

/** What is the same for every name of a model. */
interface ModelNow {
  readonly sources: NameSources;
  readonly settings: NameSettings;
  readonly coverage: Coverage;
  /** Ready replicas of all variants, and whether some that is asked for is not Ready. */
  readonly ready: number;
  readonly someStarting: boolean;
}

const modelNow = (sources: NameSources, settings: NameSettings): ModelNow => {
  const { workload, candidates, decisions, silentUntil } = sources;
  return {
    sources,
    settings,
    coverage: { silentUntil, lostUntil: workload?.lostUntil ?? Number.NEGATIVE_INFINITY },
    ready: candidates.reduce((sum, candidate) => sum + candidate.ready, 0),
    someStarting: candidates.some(({ key, ready, replicas }) => ready < Math.max(replicas, decisions.get(key)?.replicas ?? 0)),
  };
};

/** Of each name of which a rate is known, or requests that wait for a first replica. */
export const ratedNames = (
  sources: NameSources,
  names: readonly RecordedName[],
  held: HeldUnder,
  settings: NameSettings,
): readonly RatedName[] => {
  const model = modelNow(sources, settings);
  return names.flatMap((recorded) => {
    const { name, intervals, intervalSeconds } = recorded;
    const rate = arrivalRate(intervals, intervalSeconds, settings.windowSeconds, model.coverage);
    const heldHere = held.get(name);
    return Number.isNaN(rate) && heldHere === undefined
      ? []
      : [ratedName({ recorded, rate: Number.isNaN(rate) ? 0 : rate, heldHere }, model)];
  });
};

/** What is counted under one name. */
interface CountedName {
  readonly recorded: RecordedName;
  /** req/s */
  readonly rate: number;
  readonly heldHere: ReturnType<HeldUnder['get']>;
}

const ratedName = (counted: CountedName, model: ModelNow): RatedName => {
  const { recorded, rate, heldHere } = counted;
  const { sources, settings } = model;
  const { candidates } = sources;
  const { name, lastRecordAt } = recorded;
  const shape = sources.shapes.get(name) ?? sources.shapes.get(sources.name) ?? heldHere?.shape;
  // Thousands of sizes x variants: once for all that asks.
  const works = shape === undefined ? null : requestWorks(shape, candidates);
  const seconds = shape === undefined ? null : meanSeconds(shape, candidates);
  const seen: SeenDemand = {
    at: lastRecordAt ?? 0,
    rate,
    work: works === null ? undefined : meanOfAll(works),
    candidates,
    startupSeconds: settings.startupSeconds,
    shapeAgeSeconds: settings.shapeWindowSeconds / 2,
  };
  const history = demandHistoryWith(sources.histories.get(name), seen);
  const backlog = backlogOf(counted, seconds);
  const ahead = rateAhead(counted, history, seconds, model);
  const growthOfWork = foreseenGrowthOfWork(history, seen);
  const margin = marginOf({ seen, history, works, backlog, foreseenWork: ahead.rate * growthOfWork }, settings);
  return {
    name,
    rate,
    history: margin === null ? history : { ...history, margin: margin.history },
    strain: strainOf(counted, works, backlog, model),
    shape,
    works,
    backlog,
    ahead,
    growthOfWork,
    headroom: Math.max(settings.headroom, margin?.headroom ?? 0),
    // Half of a headroom that is set is there for noise.
    noise: Math.max(settings.headroom / 2, margin?.noise ?? 0),
  };
};

/** @param seconds that a request takes; null = not known */
const backlogOf = ({ recorded, rate, heldHere }: CountedName, seconds: number | null): number => {
  const record = newestRecord(recorded.intervals)?.record;
  const inFlight = Math.max(record?.pending ?? 0, record?.queueing ?? 0);
  return Math.max(beyondNormal(inFlight, rate, seconds), heldHere?.requests ?? 0);
};

const strainOf = (
  { recorded: { name, intervals }, rate }: CountedName,
  works: RequestWorks | null,
  backlog: number,
  { sources: { workload, strains, candidates }, settings: { headroom }, ready, someStarting }: ModelNow,
): Strain =>
  strainNow(strains.get(name), {
    ...{ now: workload?.now ?? 0, intervals, rate, headroom, backlog, ready, someStarting },
    spread: works?.spread ?? 1,
    requestWork: meanWork(
      works?.means ?? [],
      candidates.map((candidate) => candidate.ready),
    ),
  });

/** The rate once a replica that is asked for now is Ready. */
const rateAhead = (
  { recorded: { intervals, intervalSeconds, defect }, rate }: CountedName,
  history: DemandHistory,
  seconds: number | null,
  { settings: { startupSeconds }, coverage }: ModelNow,
): Forecast => {
  // What ended came a request's duration before, unless the engines said what they hold.
  const tellsEndsOnly =
    (defect?.kind === 'arrivals' || defect?.kind === 'overwritten') && newestRecord(intervals)?.record.pending === null;
  const late = tellsEndsOnly ? (seconds ?? 0) : 0;
  const growth = late === 0 ? 0 : arrivalGrowth(intervals, intervalSeconds, coverage);
  return foreseenRate(history, caughtUp(rate, growth, late), startupSeconds + late);
};

/** What a margin is made from. */
interface MarginSources {
  readonly seen: SeenDemand;
  readonly history: DemandHistory;
  readonly works: RequestWorks | null;
  readonly backlog: number;
  /** As foreseen, in requests of today's work (req/s). */
  readonly foreseenWork: number;
}

/** null = none is asked for, or no size is known yet. */
const marginOf = (
  { seen: { at, rate, work }, history, works, backlog, foreseenWork }: MarginSources,
  { attainment, windowSeconds, startupSeconds }: NameSettings,
): Margin | null =>
  attainment === null || works === null || work === undefined
    ? null
    : marginNow(
        history.margin,
        {
          ...{ at, rate, windowSeconds, spread: works.spread, backlog, startupSeconds },
          ...{ work: rate * work, foreseen: foreseenWork * work },
        },
        attainment,
      );

/** What waits for a first replica under each name: how many, and as what shape where no request has ended yet. */
export const heldUnder = ({ aliases, workload }: NameSources) =>
  new Map(
    aliases.flatMap((name) => {
      const held = workload?.held?.filter(({ model }) => model === name) ?? [];
      const sum = (key: 'requests' | 'inputTokens' | 'outputTokens') => held.reduce((total, one) => total + one[key], 0);
      const requests = sum('requests');
      if (requests === 0) return [];
      const mean = { inputTokens: sum('inputTokens') / requests, outputTokens: sum('outputTokens') / requests };
      return [[name, { requests, shape: [{ ...mean, share: 1 }] as Shape }] as const];
    }),
  );

/**
 * Requests in flight beyond what is normal: by Little's law rate x time, and three standard deviations of a Poisson number more.
 * @param seconds that a request takes; null = not known, and nothing is beyond
 */
const beyondNormal = (waiting: number, rate: number, seconds: number | null): number => {
  if (seconds === null) return 0;
  const normal = rate * seconds;
  return Math.max(0, waiting - normal - 3 * Math.sqrt(normal));
};
