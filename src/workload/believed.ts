import type { InFlight } from '../domain.ts';
import type { RequestRecord } from './histogram.ts';
import { type Interval, type NameHistory, type RecordDefect, recordOf } from './rates.ts';

/**
 * The records of one name as far as their writer can be trusted. Each is judged by itself, as gateways of several releases may
 * write in turn:
 *
 * - A record with negative pending requests is a broken writer's. So is a record of a run in which more requests ended than were
 *   pending before it and came in. There what ended stands for what came in. It is late by a request's duration; where engines were
 *   asked, the growth of what they hold is added.
 * - What is pending then is what engines hold, or unknown (null).
 * - A record that nothing is held against is taken as it is. The larger of its two numbers would overestimate a steady rate.
 *
 * @param inFlight what the model's engines held, oldest first
 * @param share part of that which belongs to this name, 0 to 1
 */
export const believed = (history: NameHistory, inFlight: readonly InFlight[], share: number): NameHistory => {
  const { intervals, intervalSeconds } = history;
  const contradicted = contradictedBy(intervals, intervalSeconds);
  const doubted = intervals.filter((interval, index) => contradicted[index] || (recordOf(interval)?.pending ?? 0) < 0);
  if (doubted.length === 0) return history;
  const sum = (of: 'arrivals' | 'completed') =>
    doubted.reduce((total, interval) => total + (recordOf(interval)?.[of] ?? 0), 0);
  const [counted, ended] = [sum('arrivals'), sum('completed')];
  const arrivalsMissing = counted < ended;
  const lastAt = doubted.at(-1)!.time;
  const newest = intervals.findLast(({ found }) => found === 'record')!.time;
  const held = heldOf(inFlight, share, intervalSeconds);
  const mended = new Map(
    doubted.map((interval) => {
      const record = recordOf(interval)!;
      const arrivals = arrivalsMissing ? arrivalsBehind(record, held.growth(interval.time)) : record.arrivals;
      return [interval, { ...interval, record: { ...record, arrivals, pending: held.at(interval.time) } } as Interval];
    }),
  );
  return {
    ...history,
    intervals: intervals.map((interval) => mended.get(interval) ?? interval),
    defect: newest - lastAt > mendedAfter * intervalSeconds ? null : { arrivalsMissing, counted, ended, lastAt },
  };
};

/** A writer whose last doubtful record is so many intervals older than the newest one has been mended or replaced. */
const mendedAfter = 6;

/** What to tell people, without numbers, which change all the time. */
export const recordDefectText = (model: string, { arrivalsMissing }: RecordDefect): string =>
  arrivalsMissing
    ? `model ${model}: its gateway does not count most arrivals; what ends is taken for what arrives. AIBrix v0.4.0 to v0.7.0 have this fault, newer releases have not (its pull requests 2442 and 2463)`
    : `model ${model}: its gateway counts fewer than 0 requests as pending; that number is not used. AIBrix v0.4.0 to v0.7.0 have this fault, newer releases have not (its pull request 2463)`;

/** By so many standard deviations of a Poisson number one count must exceed another. */
const certain = 4.5;
const exceeds = (more: number, less: number): boolean => more - less > certain * Math.sqrt(more + less);

/** A broken writer counts no request that did not come, so a total above what ended is a burst that has not ended yet. */
const arrivalsBehind = ({ arrivals, completed }: RequestRecord, growth: number): number => {
  const estimated = Math.max(0, completed + growth);
  return exceeds(arrivals, estimated) ? arrivals : estimated;
};

/** Records of a run that is looked at. */
const [leastRun, longestRun] = [3, 6];

/**
 * Which records belong to a run in which more requests ended than can have: those pending before it, and those that came in. Gateways
 * that overwrite each other's records differ by chance, so chance is allowed for.
 */
const contradictedBy = (intervals: readonly Interval[], intervalSeconds: number): readonly boolean[] => {
  const contradicted = intervals.map(() => false);
  for (let last = leastRun; last < intervals.length; last += 1) {
    let [possible, completed] = [0, 0];
    for (let first = last; first > Math.max(0, last - longestRun); first -= 1) {
      const [record, before] = [accountOf(intervals[first]!), accountOf(intervals[first - 1]!)];
      const apart = intervals[first]!.time - intervals[first - 1]!.time;
      if (record === null || before === null || apart > intervalSeconds) break;
      possible += record.arrivals;
      completed += record.completed;
      if (last - first + 1 >= leastRun && exceeds(completed, possible + before.pending))
        contradicted.fill(true, first, last + 1);
    }
  }
  return contradicted;
};

/**
 * What can be checked of a record. Of gateways of ours each record is a sum to which one may still add; without pending requests
 * nothing can be told.
 */
const accountOf = (interval: Interval) => {
  const record = recordOf(interval);
  if (record === null || record.merged || record.pending === null || record.pending < 0) return null;
  return { arrivals: record.arrivals, completed: record.completed, pending: record.pending };
};

/** What engines held of the requests of one name. */
interface Held {
  /** At the end of an interval; null = not known. */
  at(time: number): number | null;
  /**
   * By how much it has grown in the interval up to a time, above the least that it was before: what a lost pod held has not ended, and
   * lowers nothing. 0 where it is not known.
   */
  growth(time: number): number;
}

const heldOf = (inFlight: readonly InFlight[], share: number, intervalSeconds: number): Held => {
  let least = Number.POSITIVE_INFINITY;
  const samples = inFlight.map(({ at, requests }) => {
    least = Math.min(least, requests * share);
    return { at, requests: requests * share, surplus: requests * share - least };
  });
  // Engines are asked a little after an interval's end, and about the newest interval only at the next tick.
  const sampleAt = (time: number) =>
    samples.find(({ at }) => at >= time && at < time + intervalSeconds) ??
    samples.findLast(({ at }) => at < time && at >= time - intervalSeconds);
  return {
    at: (time) => sampleAt(time)?.requests ?? null,
    growth: (time) => {
      const [from, to] = [sampleAt(time - intervalSeconds), sampleAt(time)];
      return from === undefined || to === undefined ? 0 : to.surplus - from.surplus;
    },
  };
};
