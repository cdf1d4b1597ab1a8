import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { gatewayCounter, parseTrace } from '../workload/gateway-records.ts';
import { recordKey, recordLifetimeSeconds } from '../workload/histogram.ts';
import { redisDefaults, redisStore } from '../workload/redis.ts';
import { heartbeatsKey } from '../workload/store.ts';
import { type Command, numberOption, readOptions } from './command.ts';

const options: Command['options'] = {
  trace: { type: 'string', value: 'FILE', help: 'CSV with a header: arrival time, input tokens, output tokens' },
  model: { type: 'string', value: 'NAME', help: 'model that the requests are for' },
  'redis-url': { type: 'string', value: 'URL', default: 'redis://localhost:6379', help: 'where to write' },
  speed: { type: 'string', value: 'X', default: '1', help: 'play the trace X times as fast: X times the rate' },
  interval: { type: 'string', value: 'SECONDS', default: '10', help: 'length of an interval' },
  'seconds-per-token': {
    type: 'string',
    value: 'SECONDS',
    default: '0.02',
    help: 'how long requests run, per output token',
  },
  linger: {
    type: 'string',
    value: 'SECONDS',
    default: '0',
    help: 'go on with heartbeats this long after the last request ended',
  },
  'no-heartbeat': { type: 'boolean', help: 'write records only, as a gateway does that is not ours' },
  'key-prefix': { type: 'string', value: 'PREFIX', default: 'gpumix:', help: 'before the heartbeat key' },
};

export const replay: Command = {
  name: 'replay',
  summary: 'a trace file into Redis, as a gateway would have written it',
  options,
  run: async (argv, io) => {
    const given = readOptions(options, argv);
    const [path, model] = [required(given, 'trace'), required(given, 'model')];
    const interval = numberOption('interval', given['interval'], 1);
    const speed = numberOption('speed', given['speed'], 1e-3);
    const linger = numberOption('linger', given['linger'], 0);
    const trace = parseTrace(await read(path), path);
    const counter = gatewayCounter(trace, interval, numberOption('seconds-per-token', given['seconds-per-token'], 0), speed);
    const store = redisStore(
      { ...redisDefaults, url: String(given['redis-url']), password: process.env['REDIS_PASSWORD'] ?? null },
      (problem) => io.stderr(`gpumix replay: redis: ${problem}\n`),
    );
    const heartbeat = given['no-heartbeat'] === true ? null : heartbeatsKey(String(given['key-prefix']));
    const writer = `replay-${process.pid}`;
    /** A failed write loses its interval, as in the gateway; the next one is tried again. */
    const write = async (time: number, record: string | null): Promise<void> => {
      try {
        if (heartbeat === null) {
          if (record !== null) await store.write(recordKey(model, time), record, recordLifetimeSeconds);
        } else {
          // As gateways of ours do, of which there may be others.
          if (record !== null) await store.addRecord(recordKey(model, time), JSON.parse(record), writer, recordLifetimeSeconds);
          await store.writeField(heartbeat, writer, String(time));
        }
        io.stdout(`${new Date(time * 1000).toISOString()} ${record ?? 'nothing happened'}\n`);
      } catch (error) {
        io.stderr(`gpumix replay: the record of ${new Date(time * 1000).toISOString()} is lost: ${messageOf(error)}\n`);
      }
    };
    try {
      const storeTime = await store.time();
      const ahead = storeTime - Date.now() / 1000;
      const start = Math.ceil(storeTime / interval) * interval;
      let quietSince: number | null = null;
      for (let time = start + interval; quietSince === null || time - quietSince <= linger; time += interval) {
        await sleep(Math.max(0, (time - ahead) * 1000 - Date.now()));
        await write(time, counter.recordUntil(time - start));
        if (counter.finished()) quietSince ??= time;
      }
    } finally {
      await store.close();
    }
    return 0;
  },
};

const required = (given: Readonly<Record<string, string | boolean | undefined>>, name: string): string => {
  const value = given[name];
  if (typeof value !== 'string' || value === '') throw new GpumixError('BAD_USAGE', `--${name} is missing`);
  return value;
};

const read = async (path: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new GpumixError('BAD_TRACE', `${path}: cannot be read`, { cause });
  }
};
