import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../vocabulary/errors.ts';
import { gatewayCounter, parseTrace } from '../workload/gateway-records.ts';
import { recordKey, recordLifetimeSeconds } from '../workload/histogram.ts';
import { redisDefaults, redisStore } from '../workload/redis.ts';
import { heartbeatsKey } from '../workload/store.ts';
import { type Command, inGroup, numberOption, readOptions, requiredText, valueOption, wholeOption } from './command.ts';
import { readText } from './read-text.ts';

const options: Command['options'] = {
  ...inGroup('what is played', {
    trace: valueOption('FILE', 'CSV with a header: arrival time, input tokens, output tokens'),
    model: valueOption('NAME', 'model that the requests are for'),
  }),
  ...inGroup('Redis', {
    'redis-url': valueOption('URL', 'where to write', 'redis://localhost:6379'),
  }),
  ...inGroup('time', {
    speed: valueOption('X', 'play the trace X times as fast: X times the rate', '1'),
    interval: valueOption('SECONDS', 'length of an interval', '10'),
    'seconds-per-token': valueOption('SECONDS', 'duration of a request per output token', '0.02'),
    linger: valueOption('SECONDS', 'keep sending heartbeats for this time after the last request has ended', '0'),
  }),
  ...inGroup('Redis', {
    'no-heartbeat': { type: 'boolean', help: 'write records only, as other gateways do' },
    'key-prefix': valueOption('PREFIX', 'prefix of the heartbeat key', 'gpumix:'),
  }),
};

export const replayCommand: Command = {
  options,
  usage: '--trace FILE --model NAME [flags]',
  examples: ['gpumix replay --trace requests.csv --model llama-8b --speed 2'],
  run: async (argv, io, environment) => {
    const flags = readOptions(options, argv);
    const [path, model] = [requiredText(flags, 'trace'), requiredText(flags, 'model')];
    const interval = wholeOption('interval', flags['interval'], 1);
    const speed = numberOption('speed', flags['speed'], 1e-3);
    const linger = numberOption('linger', flags['linger'], 0);
    const trace = parseTrace(await readText(path, 'BAD_TRACE'), path);
    const counter = gatewayCounter(trace, interval, numberOption('seconds-per-token', flags['seconds-per-token'], 0), speed);
    let reached = false;
    const store = redisStore(
      { ...redisDefaults, redisUrl: String(flags['redis-url']), redisPassword: environment['REDIS_PASSWORD'] ?? null },
      // Before anything was written the error says it.
      (problem) => reached && io.stderr(`gpumix replay: redis: ${problem}\n`),
    );
    const heartbeat = flags['no-heartbeat'] === true ? null : heartbeatsKey(String(flags['key-prefix']));
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
      reached = true;
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
