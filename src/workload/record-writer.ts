import { recordKey, recordLifetimeSeconds } from './histogram.ts';
import type { IntervalRecord } from './request-counts.ts';
import type { HeldRequests } from './store.ts';
import { heartbeatsKey, heldKey, type Store } from './store.ts';

export interface RecordWriterSettings {
  /** Names this gateway among others that write to the same store. */
  readonly instance: string;
  /** Before every key of ours: `gpumix:`. */
  readonly keyPrefix: string;
  readonly intervalSeconds: number;
}

export interface RecordWriter {
  /**
   * Writes the records of an interval, and those that could not be written before; then the heartbeat, which says that all
   * records up to `time` are there.
   * @throws GpumixError REDIS_UNAVAILABLE; what was not written is kept
   */
  write(records: readonly IntervalRecord[], time: number): Promise<void>;
  /** Tells how many requests are held for models without a replica; null = none any more. */
  hold(model: string, held: HeldRequests | null): Promise<void>;
  /** Records that wait to be written. */
  kept(): number;
  /** Gateways that ceased to write without taking leave: their last interval may be missing. One line each. */
  missing(now: number): Promise<readonly string[]>;
  /** Takes leave: nobody will miss this gateway. */
  leave(): Promise<void>;
}

/** What was written so long ago (s) has reached the replicas of the store. */
const replicatedAfter = 60;
/** After so many intervals without a word a gateway is missing. */
const silentIntervals = 3;
/** A gateway that has been missing for so long (s) is forgotten. */
const forgottenAfter = 3600;

export const recordWriter = (store: Store, settings: RecordWriterSettings): RecordWriter => {
  const { instance, keyPrefix, intervalSeconds } = settings;
  let kept: readonly IntervalRecord[] = [];
  /** Written of late. */
  let recent: readonly IntervalRecord[] = [];
  /** The heartbeat that was written last; null = none. */
  let said: string | null = null;
  let writing: Promise<void> = Promise.resolve();
  const add = async (records: readonly IntervalRecord[], time: number): Promise<void> => {
    const answers = await Promise.allSettled(
      records.map(({ model, time: at, round, fields }) =>
        store.addRecord(recordKey(model, at), fields, instance, Math.ceil(recordLifetimeSeconds - (time - at)), round),
      ),
    );
    const done = new Set(records.filter((_, index) => answers[index]?.status === 'fulfilled'));
    kept = kept.filter((record) => !done.has(record));
    recent = [...new Set([...recent, ...done])].filter((record) => time - record.time < replicatedAfter && record.time <= time);
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  };
  /**
   * Whether the store that takes writes now lacks the last heartbeat. Replication is not synchronous: a replica that took over
   * may lack what was written last, and then it lacks the heartbeat too, which was written after it.
   */
  const lostSome = async (): Promise<boolean> =>
    said !== null && (await store.readFields(heartbeatsKey(keyPrefix), [instance]))[instance] !== said;
  const flush = async (time: number): Promise<void> => {
    // What is ahead of the time was counted before the clock stepped back.
    kept = kept.filter((record) => time - record.time < recordLifetimeSeconds && record.time <= time);
    await add(kept, time);
    // A record counts once, however often it is written.
    if (await lostSome()) await add(recent, time);
    await store.writeField(heartbeatsKey(keyPrefix), instance, String(time));
    said = String(time);
  };
  return {
    write: (records, time) => {
      kept = [...kept, ...records];
      // One after the other: a slow answer must not be overtaken.
      const turn = writing.then(() => flush(time));
      writing = turn.catch(() => {});
      return turn;
    },
    hold: async (model, held) => {
      const field = `${instance} ${model}`;
      if (held === null) await store.removeField(heldKey(keyPrefix), field);
      else await store.writeField(heldKey(keyPrefix), field, JSON.stringify(held));
    },
    kept: () => kept.length,
    missing: async (now) => {
      const others = Object.entries(await store.readFields(heartbeatsKey(keyPrefix))).filter(([name]) => name !== instance);
      const lines: string[] = [];
      for (const [name, at] of others) {
        const silent = now - Number(at);
        if (silent > forgottenAfter) await store.removeField(heartbeatsKey(keyPrefix), name);
        else if (silent > silentIntervals * intervalSeconds)
          lines.push(
            `gateway ${name} has not written since ${new Date(Number(at) * 1000).toISOString()}: what it counted after that is missing`,
          );
      }
      return lines;
    },
    leave: () => store.removeField(heartbeatsKey(keyPrefix), instance),
  };
};
