import type { EngineActivity } from '../../cluster/engine-metrics.ts';
import { active, type Interval, newestRecord } from '../../workload/workload.ts';

/** What the data of one model lets us conclude. */
export type State = 'fresh' | 'quiet' | 'idle' | 'stale' | 'missing';

/** Everything that the conclusion rests on, as of one tick. Times are Unix seconds by Redis' own clock. */
export interface Evidence {
  readonly now: number;
  /** What was read under each of the model's names, oldest first. */
  readonly intervalsByName: readonly (readonly Interval[])[];
  readonly intervalSeconds: number;
  /** End of the newest record of the model that was ever read; null = there never was one. */
  readonly lastRecordAt: number | null;
  /** Since when our own write to that Redis has succeeded at every tick and was found again; null = it fails now. */
  readonly writableSince: number | null;
  /** Newest heartbeat of a gateway of ours. */
  readonly heartbeatAt: number | null;
  /** End of the newest record of any other model. */
  readonly otherModelAt: number | null;
  /** Since when all pods of the gateway have been Ready and the same; null = not known, or not Ready. */
  readonly gatewayUnchangedSince: number | null;
  /** What the model's own Ready pods say; null = there are none, or they are not asked. */
  readonly engines: EngineActivity | null;
  /** How long the longest of the requests that were seen takes (s); null = not known, or not needed. */
  readonly longestRequestSeconds: number | null;
  readonly trustSilence: boolean;
}

export interface StateSettings {
  readonly idleAfterSeconds: number;
  readonly settleSeconds: number;
}

export interface Conclusion {
  readonly state: State;
  /** For people: what is known, or what is missing. */
  readonly reason: string;
  /** Up to when a missing record means that nothing happened (Unix s); -Infinity = never. */
  readonly silentUntil: number;
}

/**
 * - fresh: the newest record is younger than three intervals and settle time, and something happened of late
 * - idle: nothing happened for `idleAfterSeconds`, and each interval since is an empty record or credibly silent
 * - stale: there was data, and now neither records nor a credible reason for their absence
 * - missing: there never was a record
 * - quiet: anything else; not known to be idle, not known to be at work
 */
export const conclude = (evidence: Evidence, settings: StateSettings): Conclusion => {
  const { now, intervalSeconds, lastRecordAt } = evidence;
  if (lastRecordAt === null) {
    return { state: 'missing', reason: 'no request record of this model has been seen', silentUntil: never };
  }
  const silence = credibleSilence(evidence);
  const { until: silentUntil, why } = silence;
  const freshFrom = now - 3 * intervalSeconds - settings.settleSeconds;
  if (Math.max(lastRecordAt, silentUntil) < freshFrom) {
    return { state: 'stale', reason: `no request record for ${Math.floor(now - lastRecordAt)} s; ${why}`, silentUntil };
  }
  const silent = silentSeconds(evidence, silence, settings.settleSeconds);
  const busyAt = evidence.engines?.busyAt ?? never;
  if (silent >= settings.idleAfterSeconds && now - busyAt < settings.idleAfterSeconds) {
    const reason = `no request for ${Math.floor(silent)} s by the records, but its engines had one ${Math.floor(now - busyAt)} s ago`;
    return { state: 'quiet', reason, silentUntil };
  }
  if (silent >= settings.idleAfterSeconds) {
    return { state: 'idle', reason: `no request for ${Math.floor(silent)} s; ${why}`, silentUntil };
  }
  const lastActive = lastActivity(evidence.intervalsByName);
  if (lastRecordAt >= freshFrom && lastActive > now - settings.idleAfterSeconds) {
    return { state: 'fresh', reason: 'request records are current', silentUntil };
  }
  return {
    state: 'quiet',
    reason: `no request for ${Math.floor(silent)} s, not yet long enough for idle; ${why}`,
    silentUntil,
  };
};

const never = Number.NEGATIVE_INFINITY;

interface Silence {
  /** A missing record of this time means that nothing happened (Unix s). */
  readonly from: number;
  readonly until: number;
  /** Why, or what is missing to believe it. */
  readonly why: string;
}

const credibleSilence = (evidence: Evidence): Silence => {
  const { now, writableSince, heartbeatAt, otherModelAt, engines, trustSilence } = evidence;
  if (writableSince === null) return { from: never, until: never, why: 'our own write to Redis does not succeed' };
  const reasons = [
    { until: heartbeatAt ?? never, why: "the gateway's heartbeat is current" },
    { until: otherModelAt ?? never, why: 'the gateway writes records of another model' },
    gatewayStandsSinceLastRecord(evidence),
    { until: trustSilence ? now : never, why: 'silence is trusted by setting' },
  ];
  const best = reasons.reduce((a, b) => (b.until > a.until ? b : a));
  if (best.until >= now - 3 * evidence.intervalSeconds) return { from: never, ...best };
  const quietSince = engines?.quietSince ?? null;
  if (quietSince !== null) return { from: quietSince, until: now, why: 'its engines report no request' };
  return { from: never, until: best.until, why: missingReason(evidence) };
};

const missingReason = ({ intervalsByName, longestRequestSeconds, gatewayUnchangedSince }: Evidence): string => {
  const pendingUnknown = intervalsByName.some((intervals) => newestRecord(intervals)?.record.pending === null);
  if (gatewayUnchangedSince !== null && pendingUnknown && longestRequestSeconds === null)
    return 'the records do not say what is pending, and no profile says how long requests take (e2e), so that one may still run';
  return "nothing makes the silence credible (gateway heartbeat, records of another model, unchanged gateway pods, the engines' own metrics, --trust-silence)";
};

/** Requests may take so many times as long as a profile says. */
const slowerThanProfile = 2;

/**
 * The gateway's pods are the same since before the last record under every name, and no request of then can be running: the
 * record left nothing pending, or, where what is pending is not known, none has ended for longer than the longest takes.
 */
const gatewayStandsSinceLastRecord = (evidence: Evidence): { readonly until: number; readonly why: string } => {
  const { now, intervalsByName, gatewayUnchangedSince, longestRequestSeconds } = evidence;
  const last = intervalsByName.flatMap((intervals) => newestRecord(intervals) ?? []);
  const same = gatewayUnchangedSince !== null && last.every(({ time }) => gatewayUnchangedSince < time);
  const over = slowerThanProfile * (longestRequestSeconds ?? Number.POSITIVE_INFINITY);
  const ended = last.every(({ time, record: { pending } }) => pending === 0 || (pending === null && now - time > over));
  const left = last.every(({ record: { pending } }) => pending === 0)
    ? 'which left nothing pending'
    : `and the longest request that was seen, ${Math.ceil(over / slowerThanProfile)} s, is over since then`;
  return {
    until: same && ended && last.length > 0 ? now : never,
    why: `the gateway pods are Ready and the same since the last record, ${left}`,
  };
};

/** Seconds up to the newest interval that was asked for, in which certainly nothing happened under any name (s). */
const silentSeconds = (evidence: Evidence, { from, until }: Silence, settleSeconds: number): number => {
  const { now, intervalsByName, intervalSeconds } = evidence;
  const writableSince = evidence.writableSince ?? Number.POSITIVE_INFINITY;
  const lengths = intervalsByName.map((intervals) => {
    const due = intervals.filter(({ time }) => time <= now - settleSeconds);
    const newestRecordAt = due.findLast(({ found }) => found === 'record')?.time ?? never;
    const happened = due.findLast((interval) =>
      interval.found === 'record'
        ? active(interval.record)
        : interval.found === 'broken' ||
          interval.time > Math.max(until, newestRecordAt) ||
          (interval.time > newestRecordAt && interval.time - intervalSeconds < from) ||
          interval.time - intervalSeconds < writableSince,
    );
    const observedFrom = (due[0]?.time ?? now) - intervalSeconds;
    return (due.at(-1)?.time ?? observedFrom) - (happened?.time ?? observedFrom);
  });
  return Math.min(...lengths);
};

const lastActivity = (intervalsByName: readonly (readonly Interval[])[]): number =>
  Math.max(
    never,
    ...intervalsByName.map(
      (intervals) => intervals.findLast((interval) => interval.found === 'record' && active(interval.record))?.time ?? never,
    ),
  );
