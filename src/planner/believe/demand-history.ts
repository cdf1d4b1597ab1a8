import type { MarginHistory } from './attainment-margin.ts';
import type { Candidate } from './candidates.ts';
import { type Forecast, forecast, historyWith, type RateHistory } from './forecast.ts';

/** What was seen of the requests that go by one name: how many, and how much work each of them is. */
export interface DemandHistory {
  readonly rate: RateHistory;
  /** Replica-seconds of a request, in the mean over {@link variantKeys}; undefined = no request has told its size yet. */
  readonly work: RateHistory | undefined;
  /** Of the variants whose work is counted, with commas between. */
  readonly variantKeys: string;
  /** What was foreseen and missed, counted in work of these variants; absent = nothing yet. */
  readonly margin?: MarginHistory;
}

export interface SeenDemand {
  /** Of the newest record (Unix s). */
  readonly at: number;
  /** req/s. */
  readonly rate: number;
  /** Replica-seconds of a request, in the mean over the candidates; undefined = no size is known yet. */
  readonly work: number | undefined;
  readonly candidates: readonly Candidate[];
  /** What a replica takes to start (s), and how old the requests of a shape are in the mean (s). */
  readonly startupSeconds: number;
  readonly shapeAgeSeconds: number;
}

/** Takes what is seen now into the history. With other variants work is counted anew. */
export const demandHistoryWith = (history: DemandHistory | undefined, seen: SeenDemand): DemandHistory => {
  const { at, rate, work, candidates, startupSeconds, shapeAgeSeconds } = seen;
  const variantKeys = candidates.map(({ key }) => key).join();
  const known = history?.variantKeys === variantKeys ? history : undefined;
  return {
    rate: historyWith(history?.rate, at, rate, startupSeconds),
    work: work === undefined ? known?.work : historyWith(known?.work, at, work, startupSeconds + shapeAgeSeconds),
    variantKeys,
    ...(known?.margin === undefined ? {} : { margin: known.margin }),
  };
};

/**
 * How many times the work of today a request will be, once a replica that is asked for now is Ready; 1 or more. Longer prompts
 * are growth like more requests. The shape is that of requests that have ended, so it has to be foreseen even to be known.
 */
export const foreseenGrowthOfWork = ({ work }: DemandHistory, seen: SeenDemand): number => {
  const now = seen.work ?? 0;
  return now > 0 ? forecast(work, now, seen.startupSeconds + seen.shapeAgeSeconds).rate / now : 1;
};

/** The rate as foreseen, so far ahead (s). */
export const foreseenRate = ({ rate: history }: DemandHistory, rate: number, horizonSeconds: number): Forecast =>
  forecast(history, rate, horizonSeconds);
