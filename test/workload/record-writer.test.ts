import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeRecord, recordKey } from '../../src/workload/histogram.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { recordWriter } from '../../src/workload/record-writer.ts';
import { redisDefaults, redisStore } from '../../src/workload/redis.ts';
import { requestCounts } from '../../src/workload/request-counts.ts';
import { heartbeatsKey, type Store } from '../../src/workload/store.ts';
import { wholeInterval } from '../helpers/records.ts';
import { type RedisServer, startRedis } from '../helpers/redis.ts';

let server: RedisServer;
let client: Redis;
let redis: Store;
beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
  redis = redisStore({ ...redisDefaults, redisUrl: server.url }, () => {});
});
afterAll(async () => {
  client.disconnect();
  await redis.close();
  await server.stop();
});

const fields = (total: number, buckets: Readonly<Record<string, number>>) => ({
  meta_v: 4,
  meta_interval_sec: 10,
  meta_precision: 10,
  meta_total_reqs: total,
  meta_pending_reqs: 1,
  meta_queueing_reqs: 0,
  ...buckets,
});
const writerTo = (store: Store, instance: string) => recordWriter(store, { instance, keyPrefix: 'gpumix:', intervalSeconds: 10 });
const stores: readonly (readonly [string, () => Store])[] = [
  ['redis', () => redis],
  ['memory', () => memoryStore(() => 1000)],
];

test.each(stores)('gateways add up in one record, each of them once (%s)', async (name, storeOf) => {
  const store = storeOf();
  const model = `${name}/llama:8b`;
  const writers = ['a', 'b', 'c'].map((instance) => writerTo(store, instance));
  const record = { model, time: 1000, round: 1, fields: fields(5, { '76:60': 3, '0:0': 1 }) };
  await Promise.all(writers.map((writer) => writer.write([record], 1000)));
  await writers[0]!.write([record], 1000);
  const [text] = await store.read([recordKey(model, 1000)]);
  expect(decodeRecord(text!, '')).toMatchObject({
    version: 4,
    intervalSeconds: 10,
    arrivals: 15,
    pending: 3,
    completions: [{ count: 9 }],
    unknownSize: 3,
    malformed: 0,
  });
  expect(await store.readFields(heartbeatsKey('gpumix:'))).toMatchObject({ a: '1000', b: '1000', c: '1000' });
});

test('what another gateway wrote counts too, and a record that is none is replaced', async () => {
  await client.set(recordKey('m', 10), JSON.stringify(fields(7, { '76:60': 2 })));
  await client.set(recordKey('m', 20), 'not JSON');
  const writer = writerTo(redis, 'a');
  const records = [10, 20].map((time) => ({ model: 'm', time, round: 1, fields: fields(1, { '76:60': 1 }) }));
  await writer.write(records, 20);
  const texts = await redis.read([10, 20].map((time) => recordKey('m', time)));
  expect(texts.map((text) => decodeRecord(text!, '').arrivals)).toEqual([8, 1]);
  expect(await client.ttl(recordKey('m', 10))).toBeGreaterThan(580);
});

test('what could not be written is kept, and written later with the lifetime that it has left', async () => {
  const inner = memoryStore(() => 0);
  const state = { away: true };
  const store: Store = {
    ...inner,
    addRecord: (...given) => (state.away ? Promise.reject(new Error('away')) : inner.addRecord(...given)),
  };
  const writer = writerTo(store, 'a');
  const record = (time: number) => ({ model: 'm', time, round: 1, fields: fields(time, {}) });
  await expect(writer.write([record(10)], 10)).rejects.toThrow('away');
  await expect(writer.write([record(20)], 20)).rejects.toThrow('away');
  expect(writer.kept()).toBe(2);
  expect(await inner.readFields(heartbeatsKey('gpumix:'))).toEqual({});
  state.away = false;
  await writer.write([record(30)], 30);
  const texts = await inner.read([10, 20, 30].map((time) => recordKey('m', time)));
  expect(texts.map((text) => decodeRecord(text!, '').arrivals)).toEqual([10, 20, 30]);
  expect(writer.kept()).toBe(0);
  state.away = true;
  await expect(writer.write([record(40)], 40)).rejects.toThrow('away');
  state.away = false;
  await writer.write([], 700);
  expect(writer.kept()).toBe(0);
  expect(await inner.read([recordKey('m', 40)])).toEqual([null]);
});

test('what could not be written for ten minutes is given up, and no more than that is kept', async () => {
  const asked: string[] = [];
  let away = true;
  const store: Store = {
    ...memoryStore(() => 0),
    addRecord: async (key) => {
      if (away) throw new Error('away');
      asked.push(key);
    },
  };
  const writer = writerTo(store, 'a');
  for (let time = 10; time <= 2000; time += 10)
    await writer.write([{ model: 'm', time, round: 1, fields: fields(1, {}) }], time).catch(() => {});
  expect(writer.kept()).toBe(60);
  away = false;
  await writer.write([], 2300);
  expect(asked).toHaveLength(30);
  expect([asked[0], asked.at(-1)]).toEqual([recordKey('m', 1710), recordKey('m', 2000)]);
});

test('what is kept from before the clock stepped back is given up', async () => {
  const inner = memoryStore(() => 0);
  let away = true;
  const store: Store = {
    ...inner,
    addRecord: (...given) => (away ? Promise.reject(new Error('away')) : inner.addRecord(...given)),
  };
  const writer = writerTo(store, 'a');
  await writer.write([{ model: 'm', time: 700, round: 1, fields: fields(1, {}) }], 700).catch(() => {});
  away = false;
  await writer.write([{ model: 'm', time: 110, round: 2, fields: fields(1, {}) }], 110);
  expect(await inner.read([recordKey('m', 700)])).toEqual([null]);
});

test.each(stores)(
  'in a later round a record takes the place of the earlier one, and others add to it (%s)',
  async (name, storeOf) => {
    const store = storeOf();
    const model = `${name}/again`;
    const [a, b] = [writerTo(store, 'a'), writerTo(store, 'b')];
    const write = async (writer: typeof a, total: number, round: number) => {
      await writer.write([{ model, time: 1000, round, fields: fields(total, { '76:60': total }) }], 1000);
      const [text] = await store.read([recordKey(model, 1000)]);
      return decodeRecord(text!, '').arrivals;
    };
    expect([await write(a, 5, 1), await write(b, 6, 1)]).toEqual([5, 11]);
    expect([await write(b, 7, 2), await write(a, 8, 3)]).toEqual([7, 15]);
    // Told again, or for a part of it.
    expect([await write(a, 8, 3), await write(b, 9, 1)]).toEqual([15, 15]);
  },
);

test('a gateway that is killed is missed, one that takes leave is not', async () => {
  const store = memoryStore(() => 0);
  const [a, b, c] = ['a', 'b', 'c'].map((instance) => writerTo(store, instance)) as [
    ReturnType<typeof writerTo>,
    ReturnType<typeof writerTo>,
    ReturnType<typeof writerTo>,
  ];
  for (const writer of [a, b, c]) await writer.write([], 1000);
  await c.leave();
  await a.write([], 1040);
  expect(await a.missing(1030)).toEqual([]);
  expect(await a.missing(1040)).toEqual([
    'gateway b has not written since 1970-01-01T00:16:40.000Z: what it counted after that is missing',
  ]);
  await a.write([], 5000);
  expect(await a.missing(5000)).toEqual([]);
  expect(await store.readFields(heartbeatsKey('gpumix:'))).toEqual({ a: '5000' });
});

test('each model that is served has a record of each interval, also where nothing happened', () => {
  const counts = requestCounts(10);
  counts.counter('old').arrived();
  counts.counter('old').ended(1500, 200);
  const end = (time: number) => counts.end(wholeInterval(time), ['m'], () => 2);
  expect(end(10)).toEqual([
    {
      model: 'old',
      time: 10,
      round: 1,
      fields: { ...fields(1, { '106:76': 1 }), meta_pending_reqs: 0, meta_queueing_reqs: 2 },
    },
    { model: 'm', time: 10, round: 1, fields: { ...fields(0, {}), meta_pending_reqs: 0, meta_queueing_reqs: 2 } },
  ]);
  expect(end(20).map(({ model }) => model)).toEqual(['m']);
});
