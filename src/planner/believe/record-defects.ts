import { activityOfAll, type EngineActivity } from '../../cluster/engine-metrics.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { EngineSample } from '../../vocabulary/engine-sample.ts';
import { element } from '../../vocabulary/list-element.ts';
import { certainlyExceeds } from '../../workload/certainty.ts';
import type { RequestRecord } from '../../workload/histogram.ts';
import { type Interval, type NameHistory, recordOf, type Workload } from '../../workload/workload.ts';

/**
 * What the records of one name prove of their writer: that what it counts cannot be true.
 *
 * AIBrix's gateway v0.4.0 to v0.7.0 counts about one arrival in a hundred, and takes each request that ends twice from what is
 * pending. What it counts of requests that ended is exact. Newer gateways count right.
 */
export interface RecordDefect {
  /**
   * `arrivals`: most are missing from the totals. `pending`: only the pending requests are wrong. `overwritten`: records are
   * missing, as gateways overwrite each other's.
   */
  readonly kind: 'arrivals' | 'pending' | 'overwritten';
  /**
   * Of the records that are not taken at their word: requests that came in by their totals, and that ended by their buckets; of
   * overwritten ones those that ended by their buckets, and by the engines.
   */
  readonly counted: number;
  readonly ended: number;
  /** End of the newest of them (Unix s). */
  readonly lastAt: number;
}

/** What is known of one name, as far as its writer can be trusted. */
export interface TrustedHistory extends NameHistory {
  /** Why what its gateway counts is not believed; absent or null = it is. */
  readonly defect?: RecordDefect | null;
}
export interface TrustedWorkload extends Workload {
  readonly names: ReadonlyMap<string, TrustedHistory>;
}

type SamplesByModel = ReadonlyMap<string, readonly EngineSample[]>;
interface DeploymentsAndEngines {
  /** Unix s. */
  readonly now: number;
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  /** What the engines say now, by Deployment. */
  readonly engines: ReadonlyMap<string, EngineActivity>;
}

/** What engines said so long ago (s) tells nothing of the records that are still read. */
const samplesKeptSeconds = 600;

/** What the engines of each model said of late, by model, oldest first. */
export const samplesSeen = ({ deployments, engines, now }: DeploymentsAndEngines, before: SamplesByModel): SamplesByModel => {
  const byModel = Map.groupBy(deployments.values(), ({ model }) => model);
  const seen = [...byModel].flatMap(([model, deployed]) => {
    const newest = activityOfAll(deployed.flatMap((deployment) => engines.get(deploymentKey(deployment)) ?? []))?.sample ?? null;
    const recent = (before.get(model) ?? []).filter(({ at }) => at > now - samplesKeptSeconds);
    const heard = newest === null || newest.at <= (recent.at(-1)?.at ?? 0) ? recent : [...recent, newest];
    return heard.length === 0 ? [] : [[model, heard] as const];
  });
  return new Map(seen);
};

/**
 * The workload as far as the writers of its records can be trusted. What a model's engines say is shared by what ended under
 * its names.
 */
export const trustedWorkload = (
  workload: Workload,
  deployments: Iterable<ModelDeployment>,
  samples: SamplesByModel,
): TrustedWorkload => {
  const modelOf = new Map<string, string>();
  const ended = new Map<string, number>();
  for (const { model, aliases } of deployments)
    for (const name of [model, ...aliases]) if (!modelOf.has(name)) modelOf.set(name, model);
  if (samples.size > 0)
    for (const [name, model] of modelOf) ended.set(model, (ended.get(model) ?? 0) + endedOf(workload.names.get(name)));
  const names = [...workload.names].map(([name, history]): [string, TrustedHistory] => {
    const seen = samples.get(modelOf.get(name) ?? '') ?? [];
    const endedOfModel = ended.get(modelOf.get(name) ?? '') ?? 0;
    return [name, trustedHistory(history, seen, endedOfModel === 0 ? 1 : endedOf(history) / endedOfModel)];
  });
  return { ...workload, names: new Map(names) };
};

const endedOf = (history: NameHistory | undefined): number =>
  (history?.intervals ?? []).reduce((sum, interval) => sum + (recordOf(interval)?.completed ?? 0), 0);

/**
 * The records of one name as far as their writer can be trusted. Each is judged by itself, as gateways of several releases may
 * write in turn:
 *
 * - A record with negative pending requests is a broken writer's. So is a record of a run in which more requests ended than were
 *   pending before it and came in. There what ended stands for what came in. It is late by a request's duration; where engines
 *   were asked, the growth of what they hold is added.
 * - The pending requests of such a record are those that engines hold, or unknown (null).
 * - Where more requests ended by the engines' own counts than by the records, gateways overwrite each other's records. Then the
 *   engines' counts stand for all of them.
 * - A record that nothing is held against is taken as it is. The larger of its two numbers would overestimate a steady rate.
 *
 * @param samples what the model's engines said, oldest first
 * @param nameShare part of that which belongs to this name, 0 to 1
 */
export const trustedHistory = (history: NameHistory, samples: readonly EngineSample[], nameShare: number): TrustedHistory => {
  const { intervals, intervalSeconds } = history;
  const records = intervals.filter((interval) => interval.found === 'record');
  const engines = engineCounts(samples, nameShare, intervalSeconds);
  const overwritten = overwrittenBy(records, engines);
  const contradicted = contradictedBy(intervals, intervalSeconds);
  const doubted =
    overwritten !== null
      ? records
      : records.filter((interval) => contradicted.has(interval) || (interval.record.pending ?? 0) < 0);
  const newest = doubted.at(-1);
  if (newest === undefined) return history;
  const sum = (of: 'arrivals' | 'completed') => doubted.reduce((total, { record }) => total + record[of], 0);
  const [counted, ended] = [sum('arrivals'), sum('completed')];
  const kind = overwritten !== null ? 'overwritten' : counted < ended ? 'arrivals' : 'pending';
  const arrivalsOf = ({ time, record }: RecordInterval): number => {
    if (kind === 'pending') return record.arrivals;
    const endedThen =
      overwritten === null
        ? record.completed
        : (engines.ended(time) ?? (record.completed * overwritten.ended) / Math.max(1, overwritten.counted));
    return arrivalsBehind(record, endedThen + engines.growth(time));
  };
  const mended = new Map<Interval, Interval>(
    doubted.map((interval) => [
      interval,
      {
        ...interval,
        record: { ...interval.record, arrivals: arrivalsOf(interval), pending: engines.inFlight(interval.time) },
      },
    ]),
  );
  const stopped = records.at(-1)!.time - newest.time > mendedAfter * intervalSeconds;
  return {
    ...history,
    intervals: intervals.map((interval) => mended.get(interval) ?? interval),
    defect: stopped ? null : { kind, counted, ended, ...overwritten, lastAt: newest.time },
  };
};

type RecordInterval = Interval & { readonly found: 'record' };

/** A writer whose last doubtful record is so many intervals older than the newest one has been mended or replaced. */
const mendedAfter = 6;

/** What to tell people, without numbers, which change all the time. */
export const recordDefectText = (model: string, { kind }: RecordDefect): string => `model ${model}: ${texts[kind]}`;
const texts = {
  arrivals:
    'its gateway does not count most arrivals; what ends is taken for what arrives. AIBrix v0.4.0 to v0.7.0 have this fault, newer releases have not (its pull requests 2442 and 2463)',
  pending:
    'its gateway counts fewer than 0 requests as pending; that number is not used. AIBrix v0.4.0 to v0.7.0 have this fault, newer releases have not (its pull request 2463)',
  overwritten:
    "more requests end in its engines than its records say, as gateways that overwrite each other's records do; what the engines count is taken for what arrives",
};

/** A broken writer counts no request that did not come, so a total above what ended is a burst that has not ended yet. */
const arrivalsBehind = ({ arrivals }: RequestRecord, ended: number): number =>
  certainlyExceeds(arrivals, ended) ? arrivals : Math.max(0, ended);

/** Records of a run that is looked at. */
const [leastRun, longestRun] = [3, 6];

/**
 * Which records belong to a run in which more requests ended than can have: those pending before it, and those that came in.
 * Gateways that overwrite each other's records differ by chance, so chance is allowed for.
 */
const contradictedBy = (intervals: readonly Interval[], intervalSeconds: number): ReadonlySet<Interval> => {
  const contradicted = new Set<Interval>();
  const accounts = intervals.map(accountOf);
  for (let last = leastRun; last < intervals.length; last += 1) {
    let [possible, completed] = [0, 0];
    for (let first = last; first > Math.max(0, last - longestRun); first -= 1) {
      const [record, before] = [element(accounts, first), element(accounts, first - 1)];
      const apart = intervals[first]!.time - intervals[first - 1]!.time;
      if (record === null || before === null || apart > intervalSeconds) break;
      possible += record.arrivals;
      completed += record.completed;
      if (last - first + 1 >= leastRun && certainlyExceeds(completed, possible + before.pending))
        for (const interval of intervals.slice(first, last + 1)) contradicted.add(interval);
    }
  }
  return contradicted;
};

/**
 * What can be checked of a record. Of gateways of ours each record is a sum to which one may still add; without pending requests
 * nothing can be told.
 */
const accountOf = (
  interval: Interval,
): { readonly arrivals: number; readonly completed: number; readonly pending: number } | null => {
  const record = recordOf(interval);
  if (record === null || record.merged || record.pending === null || record.pending < 0) return null;
  return { arrivals: record.arrivals, completed: record.completed, pending: record.pending };
};

/** What engines count of the requests of one name. */
interface EngineCounts {
  /** Requests in them at the end of an interval; null = not known. */
  inFlight(time: number): number | null;
  /**
   * By how much that has grown in the interval up to a time, above the least that it was before: what a lost pod held has not
   * ended, and lowers nothing. 0 where it is not known.
   */
  growth(time: number): number;
  /** Requests that ended in the interval up to a time; null = not known. */
  ended(time: number): number | null;
}

const engineCounts = (samples: readonly EngineSample[], nameShare: number, intervalSeconds: number): EngineCounts => {
  let least = Number.POSITIVE_INFINITY;
  const withSurplus = samples.map((sample) => {
    least = Math.min(least, sample.inFlight);
    return { ...sample, surplus: sample.inFlight - least };
  });
  // Engines are asked a little after an interval's end, and about the newest interval only at the next tick.
  const after = (time: number) => withSurplus.find(({ at }) => at >= time && at < time + intervalSeconds);
  const around = (time: number) => after(time) ?? withSurplus.findLast(({ at }) => at < time && at >= time - intervalSeconds);
  const difference = (from: number | null | undefined, to: number | null | undefined): number | null =>
    from === undefined || from === null || to === undefined || to === null ? null : nameShare * (to - from);
  return {
    inFlight: (time) => {
      const inFlight = around(time)?.inFlight;
      return inFlight === undefined ? null : nameShare * inFlight;
    },
    growth: (time) => difference(around(time - intervalSeconds)?.surplus, around(time)?.surplus) ?? 0,
    ended: (time) => {
      const count = difference(after(time - intervalSeconds)?.ended, after(time)?.ended);
      // The counts of a pod that is gone are gone with it.
      return count === null || count < 0 ? null : count;
    },
  };
};

/** Where more ended by the engines than by the records for certain: both counts, and how many times as many. */
const overwrittenBy = (records: readonly RecordInterval[], engines: EngineCounts) => {
  let [counted, ended] = [0, 0];
  for (const { time, record } of records) {
    const count = engines.ended(time);
    if (count === null || record.merged) continue;
    counted += record.completed;
    ended += count;
  }
  return certainlyExceeds(ended, counted) && ended > mostlyCounted * counted ? { counted, ended } : null;
};

/** Some requests reach engines past any gateway, and some are broken off; this many more are neither. */
const mostlyCounted = 1.2;
