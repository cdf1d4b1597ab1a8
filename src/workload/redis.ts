import { readFileSync } from 'node:fs';
import { Cluster, Redis } from 'ioredis';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { abandonedAfterSeconds, mergedBy, recordConstants, type Store } from './store.ts';

export type RedisMode = 'single' | 'cluster' | 'sentinel';

/** As the settings of our servers are called. */
export interface RedisSettings {
  /** `redis[s]://[user[:password]@]host[:port][,host[:port]...][/db]`; several hosts with Cluster and Sentinel. */
  readonly redisUrl: string;
  readonly redisMode: RedisMode;
  /** With Sentinel: the name of the master group. */
  readonly redisMasterName: string;
  /** In place of the URL's; null = as in the URL. */
  readonly redisUsername: string | null;
  readonly redisPassword: string | null;
  readonly redisSentinelPassword: string | null;
  /** PEM file of the authorities that may sign the server's certificate; null = those of the system. */
  readonly redisCaFile: string | null;
  readonly redisTimeoutSeconds: number;
}

/** Everything but the URL. */
export const redisDefaults: Omit<RedisSettings, 'redisUrl'> = {
  redisMode: 'single',
  redisMasterName: '',
  redisUsername: null,
  redisPassword: null,
  redisSentinelPassword: null,
  redisCaFile: null,
  redisTimeoutSeconds: 3,
};

export interface RedisAddress {
  readonly tls: boolean;
  readonly username: string | null;
  readonly password: string | null;
  readonly hosts: readonly HostAndPort[];
  readonly db: number;
}

/**
 * Parses a Redis URL. User and password are percent-decoded.
 * @throws GpumixError BAD_SETTING
 */
export const redisAddress = (url: string): RedisAddress => {
  const parts = /^(rediss?):\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/(\d*))?$/.exec(url);
  if (parts === null) {
    const shown = url.replace(/\/\/[^@]*@/, '//...@');
    throw new GpumixError('BAD_SETTING', `Redis URL ${shown}: expected redis[s]://[user[:password]@]host[:port][,host...][/db]`);
  }
  const [, scheme, credentials = '', hosts = '', db] = parts;
  const [username = '', ...password] = credentials.split(':');
  return {
    tls: scheme === 'rediss',
    username: username === '' ? null : percentDecoded(username),
    password: password.length === 0 ? null : percentDecoded(password.join(':')),
    hosts: hosts.split(',').map(hostAndPort),
    db: Number(db || 0),
  };
};

const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new GpumixError('BAD_SETTING', 'Redis URL: its user or password is not percent-encoded');
  }
};

/** Connects to Redis (or Valkey), alone, behind Sentinel, or as a Cluster. Failed commands say what is wrong and where. */
export const redisStore = (settings: RedisSettings, onProblem: (message: string) => void): Store => {
  const { client, lastProblem } = connect(settings, onProblem);
  const attempt = async <T>(command: () => Promise<T>): Promise<T> => {
    try {
      // A server that takes no writes is left, and the endpoint may lead to another one by now.
      return await command().catch((error) => (takesNoWrites(error) ? command() : Promise.reject(error)));
    } catch (error) {
      throw new GpumixError('REDIS_UNAVAILABLE', explained(error, lastProblem()));
    }
  };
  return {
    time: async () => {
      const [seconds, microseconds] = await attempt(() => client.time());
      return Number(seconds) + Number(microseconds) / 1e6;
    },
    // One MGET; on a Cluster its keys would have to share a slot, so there it is a GET each.
    read: (keys) =>
      attempt(() => (client instanceof Cluster ? Promise.all(keys.map((key) => client.get(key))) : client.mget(...keys))),
    write: async (key, value, expirySeconds) => {
      await attempt(async () => (expirySeconds === null ? client.set(key, value) : client.set(key, value, 'EX', expirySeconds)));
    },
    readFields: async (key, names) => {
      if (names === undefined) return await attempt(() => client.hgetall(key));
      const values = await attempt(() => client.hmget(key, ...names));
      return Object.fromEntries(names.flatMap((name, index) => (values[index] ? [[name, values[index]]] : [])));
    },
    writeField: async (key, field, value) => {
      await attempt(() => client.hset(key, field, value));
    },
    removeField: async (key, field) => {
      await attempt(() => client.hdel(key, field));
    },
    addRecord: async (key, fields, writer, expirySeconds, round = 1) => {
      const constants = JSON.stringify(recordConstants);
      const by = mergedBy(writer);
      await attempt(() => client.eval(addOnce, 1, key, JSON.stringify(fields), by, constants, expirySeconds, round));
    },
    keepPlan: async (key, plan, expirySeconds) => {
      const { installation, lease, leaseCreatedAt, transitions, sequence, at, document } = plan;
      const order = [installation, lease, leaseCreatedAt, transitions, sequence, at];
      const command = () => client.eval(keepIfLater, 1, key, ...order, document, expirySeconds, abandonedAfterSeconds);
      return (await attempt(command)) as 'kept' | 'later' | 'other';
    },
    close: async () => client.disconnect(),
  };
};

/**
 * Whether an answer says that this server is no primary (any more), or cannot be one now. Behind the endpoint of a managed Redis
 * the primary becomes a replica while connections to it stay open: they are given up.
 */
const takesNoWrites = (error: unknown): boolean => /\b(READONLY|MASTERDOWN|NOREPLICAS|MISCONF)\b/.test(messageOf(error));
const leaveServer = (error: Error): boolean => takesNoWrites(error) || error.message.startsWith('LOADING');

/** A record that cannot be read is replaced. Numbers are whole, and are written as such. */
const addOnce = `
local ours, record = cjson.decode(ARGV[1]), {}
local found = redis.call('GET', KEYS[1])
if found then
  local readable, decoded = pcall(cjson.decode, found)
  if readable and type(decoded) == 'table' then record = decoded end
end
local counted = tonumber(record[ARGV[2]])
if counted and counted >= tonumber(ARGV[5]) then return end
if counted then record = {} end
local constant = {}
for _, name in ipairs(cjson.decode(ARGV[3])) do constant[name] = true end
for name, value in pairs(ours) do
  if constant[name] then record[name] = value
  else record[name] = (tonumber(record[name]) or 0) + value end
end
record[ARGV[2]] = tonumber(ARGV[5])
redis.call('SET', KEYS[1], cjson.encode(record), 'EX', ARGV[4])
`;

/**
 * Compare and set: one step in Redis, so that of two leaders the later one's plan stays. Of two Leases of one installation the
 * newer counts: a Lease that was deleted is made anew. A plan that nobody has renewed for a while may be replaced by anybody.
 */
const keepIfLater = `
local installation, lease, created, transitions, sequence, at =
  unpack(redis.call('HMGET', KEYS[1], 'installation', 'lease', 'leaseCreatedAt', 'transitions', 'sequence', 'at'))
local lives = at and tonumber(ARGV[6]) - tonumber(at) < tonumber(ARGV[9])
if lease == ARGV[2] then
  local term, ours = tonumber(transitions), tonumber(ARGV[4])
  if term > ours or term == ours and tonumber(sequence) >= tonumber(ARGV[5]) then return 'later' end
elseif lives and installation and (installation ~= ARGV[1] or tonumber(created) > tonumber(ARGV[3])) then return 'other' end
redis.call('HSET', KEYS[1], 'installation', ARGV[1], 'lease', ARGV[2], 'leaseCreatedAt', ARGV[3], 'transitions', ARGV[4],
  'sequence', ARGV[5], 'at', ARGV[6], 'document', ARGV[7])
redis.call('EXPIRE', KEYS[1], ARGV[8])
return 'kept'
`;

const connect = (settings: RedisSettings, onProblem: (message: string) => void) => {
  const client = clientOf(settings, redisAddress(settings.redisUrl));
  let problem: string | null = null;
  const note = (error: unknown) => {
    const message = messageOf(error);
    if (message !== problem) onProblem(message);
    problem = message;
  };
  client.on('error', note);
  client.on('node error', note);
  client.on('ready', () => {
    problem = null;
  });
  return { client, lastProblem: () => problem };
};

const clientOf = (settings: RedisSettings, address: RedisAddress): Redis | Cluster => {
  const milliseconds = settings.redisTimeoutSeconds * 1000;
  const username = settings.redisUsername ?? address.username;
  const password = settings.redisPassword ?? address.password;
  const tls = settings.redisCaFile === null ? {} : { ca: readFileSync(settings.redisCaFile) };
  const common = {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(address.tls ? { tls } : {}),
    db: address.db,
    connectionName: 'gpumix',
    connectTimeout: milliseconds,
    commandTimeout: milliseconds,
    socketTimeout: 2 * milliseconds,
    maxRetriesPerRequest: 1,
    // Its LOADING answer is what we want to see, not a silent wait.
    enableReadyCheck: false,
    reconnectOnError: leaveServer,
  };
  const wait = (attempts: number) => Math.min(attempts * 200, 2000);
  switch (settings.redisMode) {
    case 'single':
      return new Redis({ ...common, ...(address.hosts[0] as HostAndPort), retryStrategy: wait });
    case 'sentinel':
      return new Redis({
        ...common,
        sentinels: [...address.hosts],
        name: settings.redisMasterName,
        ...(settings.redisSentinelPassword === null ? {} : { sentinelPassword: settings.redisSentinelPassword }),
        ...(address.tls ? { enableTLSForSentinelMode: true, sentinelTLS: tls } : {}),
        // A master that was failed over comes back as a replica; leave it then.
        failoverDetector: true,
        retryStrategy: wait,
        sentinelRetryStrategy: wait,
      });
    case 'cluster':
      if (address.db > 0) throw new GpumixError('BAD_SETTING', 'a Redis Cluster has only database 0; the URL names another');
      return new Cluster([...address.hosts], {
        redisOptions: common,
        enableReadyCheck: false,
        clusterRetryStrategy: wait,
      });
  }
};

/**
 * A connection of its own, which is not waited for longer than its settings say. What is wrong with it is told by its commands.
 */
export const redisClient = (settings: RedisSettings): Redis | Cluster => {
  const client = clientOf(settings, redisAddress(settings.redisUrl));
  client.on('error', () => {});
  client.on('node error', () => {});
  return client;
};

type HostAndPort = { readonly host: string; readonly port: number };

/** Of an IPv6 host the address stands in brackets. */
const hostAndPort = (text: string): HostAndPort => {
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  if (parts === null) throw new GpumixError('BAD_SETTING', `Redis URL: ${text} is not host[:port]`);
  const port = Number(parts[3] ?? 6379);
  if (port < 1 || port > 65_535) throw new GpumixError('BAD_SETTING', `Redis URL: ${port} is no port`);
  return { host: parts[1] ?? parts[2] ?? '', port };
};

const explained = (error: unknown, connectionProblem: string | null): string => {
  const message = messageOf(error).replace(/^Reached the max retries per request limit.*/, 'no connection to Redis');
  if (/^MOVED|^ASK/.test(message)) return `${message} (this is a Redis Cluster: set --redis-mode cluster)`;
  if (/^LOADING/.test(message)) return `${message} (it will be read as soon as it has)`;
  const connectionIsTheCause = /Connection is closed|no connection|timed out|isn't writeable/i.test(message);
  return connectionIsTheCause && connectionProblem !== null && connectionProblem !== message
    ? `${message} (${connectionProblem})`
    : message;
};
