import { Cluster, type Redis } from 'ioredis';
import { messageOf } from '../vocabulary/errors.ts';
import { decodeRecord, recordKey, recordLifetimeSeconds } from './histogram.ts';
import { type RedisSettings, redisAddress, redisClient } from './redis.ts';
import { heartbeatsKey } from './store.ts';

/** What a Redis shows to somebody who looks why nothing is read there. Nothing is written. */
export interface RedisLook {
  /** Host, port and database, without user and password. */
  readonly address: string;
  /** Why it does not answer; null = it does. */
  readonly problem: string | null;
  /** `master` or `slave`; null = it may not be asked. */
  readonly role: string | null;
  /** Its clock minus ours (s). */
  readonly clockAhead: number;
  /** What is there by name; null = that may not be looked for. */
  readonly keys: RedisKeys | null;
  /**
   * By model how far the ends of its two newest records are ahead of when they were written, by this clock (s): that which is
   * nearer to 0; negative = behind. A record alone tells nothing within an interval: who stops writes the open one.
   */
  readonly recordsAhead: ReadonlyMap<string, number>;
}

/** The newest record of a model: its name, and the end of its interval (Unix s). */
export interface NewestRecord {
  readonly model: string;
  readonly at: number;
}

export interface RedisKeys {
  /** By model the end of its newest record (Unix s). */
  readonly records: ReadonlyMap<string, number>;
  /** Keys of profiles. */
  readonly profiles: readonly string[];
  /** Whether there were too many keys to see all. */
  readonly cutShort: boolean;
}

/** Keys that are seen at most. */
const mostKeys = 200_000;

/**
 * @param withKeys whether to search for keys, which `serve` never does: it takes a second where there are very many
 * @param newest records that are asked for when they were written, unless they are of gateways of ours, which go by the clock
 *   of Redis and
 * add to a record later; `keyPrefix` is that of their heartbeats
 */
export const lookAtRedis = async (
  settings: RedisSettings & { readonly keyPrefix: string },
  withKeys: boolean,
  newest: readonly NewestRecord[] = [],
): Promise<RedisLook> => {
  const { hosts, db } = redisAddress(settings.redisUrl);
  const address = `${hosts.map(({ host, port }) => `${host}:${port}`).join(',')}/${db}`;
  const client = redisClient(settings);
  // What a command says is how often it was tried; why is with the connection.
  let refused: string | null = null;
  client.on('error', (error: Error) => {
    refused = messageOf(error);
  });
  const nothing = { address, role: null, clockAhead: 0, keys: null, recordsAhead: new Map() };
  try {
    const [seconds, microseconds] = await client.time();
    const clockAhead = Number(seconds) + Number(microseconds) / 1e6 - Date.now() / 1000;
    const role = await roleOf(client);
    const keys = withKeys ? await keysOf(client).catch(() => null) : null;
    const recordsAhead = await aheadOfWriting(client, newest, heartbeatsKey(settings.keyPrefix)).catch(() => new Map());
    return { address, problem: null, role, clockAhead, keys, recordsAhead };
  } catch (error) {
    return { ...nothing, problem: refused ?? messageOf(error) };
  } finally {
    client.disconnect();
  }
};

/** Records that are asked for at most. */
const mostAsked = 20;

/** A record expires so long after it was written; what is left of that tells when it was. */
const aheadOfWriting = async (
  client: Redis | Cluster,
  newest: readonly NewestRecord[],
  heartbeats: string,
): Promise<ReadonlyMap<string, number>> => {
  const ahead = new Map<string, number>();
  if ((await client.hlen(heartbeats)) > 0) return ahead;
  const aheadOf = async (model: string, at: number): Promise<number | null> => {
    const [left, [seconds]] = await Promise.all([client.pttl(recordKey(model, at)), client.time()]);
    const age = recordLifetimeSeconds - left / 1000;
    return left > 0 && age >= 0 ? at - (Number(seconds) - age) : null;
  };
  for (const { model, at } of newest.slice(0, mostAsked)) {
    const interval = await intervalOfOthers(client, recordKey(model, at));
    if (interval === null) continue;
    const [last, before] = await Promise.all([aheadOf(model, at), aheadOf(model, at - interval)]);
    if (last === null || (before === null && last > 0 && last < interval)) continue;
    ahead.set(model, before !== null && Math.abs(before) < Math.abs(last) ? before : last);
  }
  return ahead;
};

/** Of a record that no gateway of ours has written (s); null = it is one of ours, is gone or cannot be read. */
const intervalOfOthers = async (client: Redis | Cluster, key: string): Promise<number | null> => {
  const text = await client.get(key);
  if (text === null) return null;
  try {
    const { merged, intervalSeconds } = decodeRecord(text, key);
    return merged ? null : intervalSeconds;
  } catch {
    return null;
  }
};

const roleOf = async (client: Redis | Cluster): Promise<string | null> => {
  if (client instanceof Cluster) return null;
  try {
    const [role] = (await client.call('role')) as [string];
    return role;
  } catch {
    return null;
  }
};

const keysOf = async (client: Redis | Cluster): Promise<RedisKeys> => {
  const records = new Map<string, number>();
  const profiles: string[] = [];
  let seen = 0;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      const [next, keys] = await node.scan(cursor, 'MATCH', 'aibrix:*', 'COUNT', 1000);
      cursor = next;
      seen += keys.length;
      for (const key of keys) {
        const [, model, time] = /^aibrix:(.+)_request_trace_(\d+)$/.exec(key) ?? [];
        if (model !== undefined) records.set(model, Math.max(records.get(model) ?? 0, Number(time)));
        else if (key.startsWith('aibrix:profile_')) profiles.push(key);
      }
    } while (cursor !== '0' && seen < mostKeys);
  }
  return { records, profiles: profiles.sort(), cutShort: seen >= mostKeys };
};
