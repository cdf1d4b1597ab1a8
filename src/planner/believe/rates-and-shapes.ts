import type { DemandRow } from '../../vocabulary/planning-documents.ts';
import { certainDeviations } from '../../workload/certainty.ts';
import { type Interval, recordOf } from '../../workload/workload.ts';

/** Share of requests of each size; shares sum to 1. */
export type Shape = readonly { readonly inputTokens: number; readonly outputTokens: number; readonly share: number }[];

export interface RateSettings {
  /** Span over which arrivals become a rate (s). */
  readonly windowSeconds: number;
  /** Span over which completions become a shape (s); longer, since they lag arrivals by their latency. */
  readonly shapeWindowSeconds: number;
  /** Extra demand planned for; 0.1 = 10 %. */
  readonly headroom: number;
}

/** What a missing record means. */
export interface Coverage {
  /** Up to when it means that nothing happened, also after the newest record (Unix s); -Infinity = never. */
  readonly silentUntil: number;
  /** Up to when the store may have lost it (Unix s). */
  readonly lostUntil: number;
}

/**
 * Arrivals per second over the window that ends with the newest covered interval: counts over the seconds really covered. Of a
 * window in which the rate has changed for certain only the part since then counts, so that a long window makes a steady rate
 * steady and does not delay a step. An interval without a record is covered, as empty, between two records and up to
 * `silentUntil`; before the first record, after the newest, and where the store may have lost it, nobody knows what happened and
 * it counts neither way.
 * @returns req/s; NaN where nothing is covered
 */
export const arrivalRate = (
  intervals: readonly Interval[],
  intervalSeconds: number,
  windowSeconds: number,
  coverage: Coverage,
): number => {
  const { arrivals, seconds } = total(sinceChange(windowOf(intervals, intervalSeconds, windowSeconds, coverage)));
  return seconds === 0 ? Number.NaN : arrivals / seconds;
};

/** Of a shorter window the growth is noise, of a longer one it comes late. */
const growthSeconds = 120;

/**
 * How fast arrivals grow, by least squares over the intervals of two minutes (req/s per s); 0 where fewer than three are
 * covered. Of a window in which the rate has changed for certain only the part since then counts, as for the rate itself.
 */
export const arrivalGrowth = (intervals: readonly Interval[], intervalSeconds: number, coverage: Coverage): number => {
  const window = sinceChange(windowOf(intervals, intervalSeconds, growthSeconds, coverage));
  if (window.length < 3) return 0;
  const rates = window.map(({ arrivals, seconds }) => arrivals / seconds);
  const middle = (window.length - 1) / 2;
  const along = rates.reduce((sum, rate, index) => sum + (index - middle) * rate, 0);
  const across = rates.reduce((sum, _, index) => sum + (index - middle) ** 2, 0);
  return along / across / intervalSeconds;
};

/** The covered intervals of the window that ends with the newest. */
const windowOf = (
  intervals: readonly Interval[],
  intervalSeconds: number,
  windowSeconds: number,
  coverage: Coverage,
): readonly Count[] => {
  const covered = coveredIntervals(intervals, intervalSeconds, coverage);
  const end = covered.at(-1)?.time ?? Number.NaN;
  return covered
    .filter(({ time }) => time > end - windowSeconds)
    .map((interval) => ({
      arrivals: recordOf(interval)?.arrivals ?? 0,
      seconds: recordOf(interval)?.intervalSeconds ?? intervalSeconds,
    }));
};

interface Count {
  readonly arrivals: number;
  readonly seconds: number;
}

const total = (counts: readonly Count[]): Count => ({
  arrivals: counts.reduce((sum, count) => sum + count.arrivals, 0),
  seconds: counts.reduce((sum, count) => sum + count.seconds, 0),
});

/** The part of a window after the last certain change of its rate. */
const sinceChange = (window: readonly Count[]): readonly Count[] => {
  // Whether silence means that nothing comes any more is for the states to say.
  if ((window.at(-1)?.arrivals ?? 0) === 0) return window;
  const dispersion = dispersionOf(window);
  let best = { deviations: certainDeviations, from: 0 };
  for (let from = 1; from < window.length; from += 1) {
    const deviations = difference(total(window.slice(0, from)), total(window.slice(from)), dispersion);
    if (deviations > best.deviations) best = { deviations, from };
  }
  return best.from === 0 ? window : sinceChange(window.slice(best.from));
};

/** By how many standard deviations two rates differ, arrivals being so many times as varied as Poisson's. */
const difference = (before: Count, after: Count, dispersion: number): number => {
  const commonRate = (before.arrivals + after.arrivals) / (before.seconds + after.seconds);
  const deviation = Math.sqrt(commonRate * dispersion * (1 / before.seconds + 1 / after.seconds));
  return Math.abs(after.arrivals / after.seconds - before.arrivals / before.seconds) / deviation;
};

/**
 * Variance over mean of the counts, at least 1, by the median of the squared differences between neighbours (of a normal
 * number 0.455 of their mean): bursts that come all the time widen it, a single step does not.
 */
const dispersionOf = (window: readonly Count[]): number => {
  const squares = window
    .slice(1)
    .map(({ arrivals }, index) => (arrivals - window[index]!.arrivals) ** 2)
    .sort((a, b) => a - b);
  const median = squares[Math.floor(squares.length / 2)] ?? 0;
  return Math.max(1, median / (2 * 0.455) / (total(window).arrivals / window.length));
};

/** A shape, of how many requests it is, and up to when they ended (Unix s). */
export interface CountedShape {
  readonly shape: Shape;
  readonly requests: number;
  readonly until: number;
}

/**
 * Sizes of the requests that ended within the window, as shares. Those of unknown size are spread over the others in
 * proportion, which leaves shares as they are. What ends after the last arrival are the longest of those that ran, and counts
 * only where no other size is known.
 * @returns null where no size is known
 */
export const shapeOf = (intervals: readonly Interval[], windowSeconds: number): CountedShape | null => {
  const end = intervals.at(-1)?.time ?? 0;
  const within = intervals.filter(({ time }) => time > end - windowSeconds);
  const lastArrival = within.findLast((interval) => (recordOf(interval)?.arrivals ?? 0) > 0)?.time ?? end;
  return (
    countedShape(
      within.filter(({ time }) => time <= lastArrival),
      lastArrival,
    ) ?? countedShape(within, end)
  );
};

/** Sorted and then added up: a map of sizes would be most of what a tick with many models allocates. */
const countedShape = (intervals: readonly Interval[], until: number): CountedShape | null => {
  const ended = intervals.flatMap((interval) => recordOf(interval)?.completions ?? []).sort(bySize);
  const requests = ended.reduce((sum, { count }) => sum + count, 0);
  if (requests === 0) return null;
  const shape: { inputTokens: number; outputTokens: number; share: number }[] = [];
  for (const { inputTokens, outputTokens, count } of ended) {
    const last = shape.at(-1);
    if (last?.inputTokens === inputTokens && last.outputTokens === outputTokens) last.share += count;
    else shape.push({ inputTokens, outputTokens, share: count });
  }
  for (const row of shape) row.share /= requests;
  return { shape, requests, until };
};

type Size = Pick<DemandRow, 'inputTokens' | 'outputTokens'>;
const bySize = (a: Size, b: Size): number => a.inputTokens - b.inputTokens || a.outputTokens - b.outputTokens;

/** Demand by size: rate x (1 + headroom) x share (req/s). */
export const demandOf = (rate: number, shape: Shape, headroom: number): readonly DemandRow[] =>
  shape.map(({ inputTokens, outputTokens, share }) => ({
    inputTokens,
    outputTokens,
    arrivalRate: rate * (1 + headroom) * share,
  }));

/** Demand of several names of one model, by size. */
export const mergedDemand = (demands: readonly (readonly DemandRow[])[]): readonly DemandRow[] => {
  if (demands.length === 1) return demands[0]!;
  const rows = new Map<string, DemandRow>();
  for (const row of demands.flat()) {
    const key = `${row.inputTokens}:${row.outputTokens}`;
    rows.set(key, { ...row, arrivalRate: row.arrivalRate + (rows.get(key)?.arrivalRate ?? 0) });
  }
  return [...rows.values()].sort(bySize);
};

const coveredIntervals = (
  intervals: readonly Interval[],
  intervalSeconds: number,
  { silentUntil, lostUntil }: Coverage,
): readonly Interval[] => {
  const records = intervals.filter(({ found }) => found === 'record');
  const from = Math.max(records.at(0)?.time ?? Number.POSITIVE_INFINITY, lostUntil + intervalSeconds);
  const to = Math.max(records.at(-1)?.time ?? Number.NEGATIVE_INFINITY, silentUntil);
  return intervals.filter(({ time, found }) => found === 'record' || (found === 'nothing' && time >= from && time <= to));
};
