import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { decodeRecord, recordKey } from './histogram.ts';
import type { HeldRequests } from './store.ts';
import { heartbeatsKey, heldKey, type Store } from './store.ts';
import { type Interval, type NameHistory, recordOf, type Workload } from './workload.ts';

export interface ReaderSettings {
  /** The gateway's interval until a record names another (s). */
  readonly intervalSeconds: number;
  /** How long after the end of an interval its record is there (s). */
  readonly settleSeconds: number;
  /** How far back records are of use (s); the gateway keeps them for ten minutes. */
  readonly historySeconds: number;
  /** Before every key of ours: `gpumix:`. */
  readonly keyPrefix: string;
  /** Names this process among others that write to the same store. */
  readonly instance: string;
}

export interface WorkloadReader {
  /**
   * Reads what is due under these names since the last time; names that are no longer asked for are forgotten.
   * @throws GpumixError REDIS_UNAVAILABLE; what was read before stands
   */
  read(names: readonly string[]): Promise<Workload>;
}

/** Our own write is found again this long (s). */
const probeLifetime = 600;
/** A record that may still come, or grow, is asked for again until it is this old (s). */
const lateRecords = 60;
const keysPerRead = 1000;

/**
 * Reads request records by computed keys: for each name the intervals since the last time, `historySeconds` back at first. No
 * key is ever searched for.
 */
export const workloadReader = (store: Store, settings: ReaderSettings): WorkloadReader => {
  let histories = new Map<string, MutableHistory>();
  let heartbeats: Heartbeats = new Map();
  const probe = writeProbe(store, settings);
  return {
    read: async (names) => {
      try {
        const now = await store.time();
        histories = new Map(names.map((name) => [name, histories.get(name) ?? newHistory(settings.intervalSeconds)]));
        // A heartbeat says that what was counted before it is there, so it is read first.
        const heard = heartbeatsOf(await store.readFields(heartbeatsKey(settings.keyPrefix)), now);
        if (stepsBack(heartbeats, heard)) for (const history of histories.values()) forgetNew(history, now);
        const lateSince = silentSince(heartbeats, heard);
        const intervals = new Map([...histories].map(([name, { intervalSeconds }]) => [name, intervalSeconds]));
        const problems = await readDue(store, histories, now, lateSince, settings);
        // A record may have named another interval, and with it keys that were not asked for.
        const changed = [...histories].filter(([name, { intervalSeconds }]) => intervals.get(name) !== intervalSeconds);
        const more = await readDue(store, new Map(changed), now, lateSince, settings);
        for (const history of histories.values()) forgetOld(history, now - settings.historySeconds);
        const written = await probe(now);
        heartbeats = heard;
        return {
          now,
          names: new Map([...histories].map(([name, history]) => [name, frozen(history)])),
          ...written,
          heartbeatAt: heard.size === 0 ? null : Math.max(...heard.values()),
          held: heldRequests(await store.readFields(heldKey(settings.keyPrefix)), now),
          problems: [...problems, ...more],
        };
      } catch (cause) {
        throw new GpumixError('REDIS_UNAVAILABLE', 'Redis cannot be read', { cause });
      }
    },
  };
};

/** By gateway of ours the end of the interval that it wrote last (Unix s). */
type Heartbeats = ReadonlyMap<string, number>;

const heartbeatsOf = (fields: Readonly<Record<string, string>>, now: number): Heartbeats =>
  new Map(
    Object.entries(fields)
      .map(([name, text]) => [name, Number(text)] as const)
      .filter(([, at]) => at <= now + lateRecords),
  );

/** Whether a gateway follows a clock that has stepped back: it writes records anew that we may have read. */
const stepsBack = (before: Heartbeats, heard: Heartbeats): boolean =>
  [...heard].some(([name, at]) => at < (before.get(name) ?? at));

/** Since when a gateway was silent that is heard again: it has written now what it could not write then. Infinity = none was. */
const silentSince = (before: Heartbeats, heard: Heartbeats): number =>
  Math.min(
    ...[...heard].flatMap(([name, at]) => {
      const last = before.get(name) ?? at;
      return at - last > lateRecords / 2 ? [last] : [];
    }),
  );

/** What a gateway has not renewed for so long (s) it no longer holds: it was killed. */
const heldFor = 30;

const heldRequests = (fields: Readonly<Record<string, string>>, now: number): readonly HeldRequests[] =>
  Object.values(fields).flatMap((text) => {
    try {
      const held = JSON.parse(text) as HeldRequests;
      return typeof held.model === 'string' && held.requests > 0 && now - held.at < heldFor ? [held] : [];
    } catch {
      return [];
    }
  });

interface MutableHistory {
  intervals: Map<number, Interval>;
  intervalSeconds: number;
  lastRecordAt: number | null;
}

const newHistory = (intervalSeconds: number): MutableHistory => ({
  intervals: new Map(),
  intervalSeconds,
  lastRecordAt: null,
});

const frozen = ({ intervals, intervalSeconds, lastRecordAt }: MutableHistory): NameHistory => ({
  intervals: [...intervals.values()].sort((a, b) => a.time - b.time),
  intervalSeconds,
  lastRecordAt,
});

/** Ends of the intervals whose record should be there by now and has not been seen. */
const dueTimes = (
  { intervals, intervalSeconds }: MutableHistory,
  now: number,
  lateSince: number,
  { settleSeconds, historySeconds }: ReaderSettings,
): readonly number[] => {
  const newest = Math.floor((now - settleSeconds) / intervalSeconds) * intervalSeconds;
  const times = [];
  for (let time = newest; time > now - historySeconds; time -= intervalSeconds) {
    const known = intervals.get(time);
    const isLate = now - time < lateRecords || time > lateSince;
    if (known === undefined || (mayChange(known) && isLate)) times.push(time);
  }
  return times;
};

/** What is absent may come late, and to a record of several gateways one of them may add late. */
const mayChange = (interval: Interval): boolean => interval.found === 'nothing' || (recordOf(interval)?.merged ?? false);

const readDue = async (
  store: Store,
  histories: ReadonlyMap<string, MutableHistory>,
  now: number,
  lateSince: number,
  settings: ReaderSettings,
): Promise<readonly string[]> => {
  const due = [...histories].flatMap(([name, history]) =>
    dueTimes(history, now, lateSince, settings).map((time) => ({ history, time, key: recordKey(name, time) })),
  );
  const problems: string[] = [];
  for (let start = 0; start < due.length; start += keysPerRead) {
    const batch = due.slice(start, start + keysPerRead);
    const values = await store.read(batch.map(({ key }) => key));
    for (const [index, { history, time, key }] of batch.entries()) {
      const problem = remember(history, time, key, values[index] ?? null);
      if (problem !== null) problems.push(problem);
    }
  }
  return problems;
};

/** Puts one answer into the history; returns what is wrong with it. */
const remember = (history: MutableHistory, time: number, key: string, text: string | null): string | null => {
  if (text === null) {
    history.intervals.set(time, { time, found: 'nothing' });
    return null;
  }
  try {
    const record = decodeRecord(text, key);
    history.intervals.set(time, { time, found: 'record', record });
    history.lastRecordAt = Math.max(time, history.lastRecordAt ?? time);
    if (time === history.lastRecordAt && record.intervalSeconds !== history.intervalSeconds) {
      history.intervalSeconds = record.intervalSeconds;
      for (const [old, interval] of history.intervals) if (recordOf(interval) === null) history.intervals.delete(old);
    }
    if (record.totalMissing) return `${key}: meta_total_reqs is missing; completions stand in for arrivals`;
    return record.malformed === 0 ? null : `${key}: ${record.malformed} fields cannot be read and are left out`;
  } catch (error) {
    history.intervals.set(time, { time, found: 'broken' });
    return messageOf(error);
  }
};

/** The newest record stays however old it is: what it left pending tells what silence since then means. */
const forgetOld = ({ intervals, lastRecordAt }: MutableHistory, until: number): void => {
  for (const time of intervals.keys()) if (time <= until && time !== lastRecordAt) intervals.delete(time);
};

/** What is ahead of a clock that has stepped back was read before it did. */
const forgetNew = (history: MutableHistory, now: number): void => {
  for (const time of history.intervals.keys()) if (time > now) history.intervals.delete(time);
  const records = [...history.intervals.values()].filter(({ found }) => found === 'record');
  history.lastRecordAt = records.length === 0 ? null : Math.max(...records.map(({ time }) => time));
};

/**
 * Writes a value of our own and looks for the one written before. Silence in a store that takes no writes, or that lost
 * the last one (a restart, a failover), says nothing about the gateway.
 */
const writeProbe = (store: Store, { keyPrefix, instance }: ReaderSettings) => {
  const key = `${keyPrefix}probe:${instance}`;
  let written: string | null = null;
  let writableSince: number | null = null;
  let lostUntil = Number.NEGATIVE_INFINITY;
  return async (now: number): Promise<Pick<Workload, 'writableSince' | 'lostUntil' | 'writeProblem'>> => {
    try {
      const [found] = await store.read([key]);
      await store.write(key, String(now), probeLifetime);
      // On the first tick of this process nothing was written that could be lost.
      if (written !== null && (found !== written || writableSince === null)) lostUntil = now;
      if (writableSince === null || found !== written) writableSince = now;
      written = String(now);
      return { writableSince, lostUntil, writeProblem: null };
    } catch (error) {
      written ??= '';
      writableSince = null;
      lostUntil = now;
      return { writableSince, lostUntil, writeProblem: messageOf(error) };
    }
  };
};
