import type { RequestRecord } from './histogram.ts';
import type { HeldRequests } from './store.ts';

/** What was found when the record of one interval was asked for. `time` is the interval's end, as in the key (Unix s). */
export type Interval =
  | { readonly time: number; readonly found: 'record'; readonly record: RequestRecord }
  | { readonly time: number; readonly found: 'nothing' }
  | { readonly time: number; readonly found: 'broken' };

/** What is known of one name, oldest interval first. */
export interface NameHistory {
  readonly intervals: readonly Interval[];
  readonly intervalSeconds: number;
  /** End of the newest record ever read (Unix s); null = never. */
  readonly lastRecordAt: number | null;
}

export interface Workload {
  /** Redis TIME (Unix s). */
  readonly now: number;
  readonly names: ReadonlyMap<string, NameHistory>;
  /** Since when our own write has succeeded at every tick and was found again; null = it fails now. */
  readonly writableSince: number | null;
  /** Up to when the store may have lost records, as it lost or refused our own write (Unix s); -Infinity = it has not. */
  readonly lostUntil: number;
  /** Why the own write fails. */
  readonly writeProblem: string | null;
  /** Newest heartbeat of a gateway of ours (Unix s). */
  readonly heartbeatAt: number | null;
  /** What gateways of ours hold for models without a replica; absent = nothing. */
  readonly held?: readonly HeldRequests[];
  /** Records that could not be read this time, one line each. */
  readonly problems: readonly string[];
}

export const recordOf = (interval: Interval): RequestRecord | null => (interval.found === 'record' ? interval.record : null);

export const newestRecord = (intervals: readonly Interval[]): (Interval & { readonly found: 'record' }) | null =>
  intervals.findLast((interval) => interval.found === 'record') ?? null;

/** Whether requests arrived, ended, ran or waited in the interval. */
export const active = ({ arrivals, completions, unknownSize, pending, queueing }: RequestRecord): boolean =>
  arrivals > 0 || completions.length > 0 || unknownSize > 0 || (pending ?? 0) > 0 || (queueing ?? 0) > 0;
