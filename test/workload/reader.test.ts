import { expect, test } from 'vitest';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { workloadReader } from '../../src/workload/reader.ts';
import type { Store } from '../../src/workload/store.ts';
import { recordText } from '../helpers/records.ts';

/** A store with a clock that the test sets, and a list of what was asked of it. */
const world = () => {
  const clock = { now: 0 };
  const asked: string[] = [];
  const memory = memoryStore(() => clock.now);
  const store: Store = {
    ...memory,
    read: (keys) => {
      asked.push(...keys.filter((key) => key.startsWith('aibrix:')));
      return memory.read(keys);
    },
  };
  const reader = workloadReader(store, {
    intervalSeconds: 10,
    settleSeconds: 2,
    historySeconds: 600,
    keyPrefix: 'gpumix:',
    instance: 'test',
  });
  const key = (time: number, model = 'm') => `aibrix:${model}_request_trace_${time}`;
  const readAt = async (now: number, names = ['m']) => {
    clock.now = now;
    asked.length = 0;
    const workload = await reader.read(names);
    return { ...workload, asked: asked.map((name) => Number(name.split('_').at(-1))).sort() };
  };
  return { clock, store, memory, key, readAt };
};

test('everything since the last time is asked for, the newest only when it has settled', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 1000;
  for (let time = 410; time <= 1000; time += 10) await memory.write(key(time), recordText(1), 600);
  await readAt(1002);
  expect((await readAt(1041.5)).asked).toEqual([1010, 1020, 1030]);
  for (const time of [1010, 1020, 1030]) await memory.write(key(time), recordText(1), 600);
  await readAt(1041.6);
  expect((await readAt(1042)).asked).toEqual([1040]);
});

test('the first time, ten minutes are read; what the gateway has let expire is not asked for', async () => {
  const { readAt } = world();
  const { asked } = await readAt(5002);
  expect([asked.length, asked[0], asked.at(-1)]).toEqual([60, 4410, 5000]);
});

test('an absent record is asked for again until it is a minute old, and counts when it comes late', async () => {
  const { memory, key, readAt } = world();
  await readAt(5002);
  expect((await readAt(5012)).asked).toEqual([4960, 4970, 4980, 4990, 5000, 5010]);
  await memory.write(key(5000), recordText(7), 600);
  const { names } = await readAt(5022);
  expect(names.get('m')?.intervals.find(({ time }) => time === 5000)).toMatchObject({ found: 'record' });
  expect((await readAt(5032)).asked).not.toContain(5000);
});

test('a record that names another interval changes the keys that are asked for', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 5000;
  for (let time = 4960; time <= 5000; time += 5) await memory.write(key(time), recordText(1, { meta_interval_sec: 5 }), 600);
  const { names } = await readAt(5002);
  const records = names
    .get('m')
    ?.intervals.filter(({ found }) => found === 'record')
    .map(({ time }) => time);
  expect(names.get('m')?.intervalSeconds).toBe(5);
  expect(records).toEqual([4960, 4965, 4970, 4975, 4980, 4985, 4990, 4995, 5000]);
});

test('a broken record is named, its interval is unknown, and freshness does not advance', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 5000;
  await memory.write(key(4990), recordText(1), 600);
  await memory.write(key(5000), 'not json', 600);
  const { names, problems } = await readAt(5002);
  expect(names.get('m')).toMatchObject({ lastRecordAt: 4990 });
  expect(names.get('m')?.intervals.at(-1)).toEqual({ time: 5000, found: 'broken' });
  expect(problems).toEqual([expect.stringMatching(/^aibrix:m_request_trace_5000: not JSON/)]);
});

test('names are opaque, and each has its own keys', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 5000;
  await memory.write(key(5000, 'a*b/c'), recordText(3), 600);
  const { names } = await readAt(5002, ['a*b/c', 'axb/c']);
  expect(names.get('a*b/c')?.lastRecordAt).toBe(5000);
  expect(names.get('axb/c')?.lastRecordAt).toBeNull();
});

test('names that are no longer asked for are forgotten', async () => {
  const { readAt } = world();
  await readAt(5002, ['m', 'other']);
  const { names } = await readAt(5012, ['other']);
  expect([...names.keys()]).toEqual(['other']);
  expect((await readAt(5022, ['m'])).asked).toHaveLength(60);
});

test('our own write dates from when it was last lost, and until then records may be lost too', async () => {
  const { memory, store, readAt } = world();
  const never = Number.NEGATIVE_INFINITY;
  expect(await readAt(5000)).toMatchObject({ writableSince: 5000, lostUntil: never });
  expect(await readAt(5010)).toMatchObject({ writableSince: 5000, lostUntil: never });
  await memory.write('gpumix:probe:test', 'of an older snapshot', 600);
  expect(await readAt(5020)).toMatchObject({ writableSince: 5020, lostUntil: 5020 });
  expect(await readAt(5030)).toMatchObject({ writableSince: 5020, lostUntil: 5020 });
  const refusing = workloadReader(
    { ...store, write: () => Promise.reject(new Error('READONLY')) },
    { intervalSeconds: 10, settleSeconds: 2, historySeconds: 600, keyPrefix: 'gpumix:', instance: 'x' },
  );
  expect(await refusing.read(['m'])).toMatchObject({ writableSince: null, lostUntil: 5030, writeProblem: 'READONLY' });
});

test('the newest heartbeat counts; one from the far future does not', async () => {
  const { memory, readAt } = world();
  expect((await readAt(5000)).heartbeatAt).toBeNull();
  await memory.writeField('gpumix:heartbeats', 'a', '4980');
  await memory.writeField('gpumix:heartbeats', 'b', '4990');
  await memory.writeField('gpumix:heartbeats', 'mad', '9999999');
  await memory.writeField('gpumix:heartbeats', 'broken', 'x');
  expect((await readAt(5000)).heartbeatAt).toBe(4990);
});

test('where the store cannot be read that is said, and what was read before stands', async () => {
  const { clock, memory, key, store } = world();
  let away = false;
  const reader = workloadReader(
    { ...store, time: () => (away ? Promise.reject(new Error('connect ECONNREFUSED')) : store.time()) },
    { intervalSeconds: 10, settleSeconds: 2, historySeconds: 600, keyPrefix: 'gpumix:', instance: 'x' },
  );
  clock.now = 5000;
  await memory.write(key(4990), recordText(5), 600);
  await reader.read(['m']);
  away = true;
  await expect(reader.read(['m'])).rejects.toThrow(
    expect.objectContaining({ code: 'REDIS_UNAVAILABLE', message: 'Redis cannot be read' }),
  );
  away = false;
  clock.now = 5500;
  expect((await reader.read(['m'])).names.get('m')?.intervals.find(({ found }) => found === 'record')).toMatchObject({
    time: 4990,
  });
});

test('a record that several gateways add to is read again for a minute', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 1000;
  await memory.addRecord(key(1000), { meta_v: 4, meta_total_reqs: 2 }, 'a', 600);
  const arrivals = async (now: number) => {
    const interval = (await readAt(now)).names.get('m')!.intervals.find(({ time }) => time === 1000);
    return interval?.found === 'record' ? interval.record.arrivals : null;
  };
  expect(await arrivals(1002)).toBe(2);
  await memory.addRecord(key(1000), { meta_v: 4, meta_total_reqs: 3 }, 'b', 600);
  expect(await arrivals(1012)).toBe(5);
  expect((await readAt(1059)).asked).toContain(1000);
  expect((await readAt(1072)).asked).not.toContain(1000);
});

test('what a gateway writes after a silence is read, however old it is', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 1000;
  await memory.writeField('gpumix:heartbeats', 'a', '1000');
  await memory.writeField('gpumix:heartbeats', 'b', '1000');
  await memory.addRecord(key(1000), { meta_v: 4, meta_total_reqs: 2 }, 'a', 600);
  await readAt(1002);
  for (let now = 1012; now <= 1122; now += 10) {
    await memory.writeField('gpumix:heartbeats', 'b', String(now - 2));
    await memory.addRecord(key(now - 2), { meta_v: 4, meta_total_reqs: 3 }, 'b', 600);
    await readAt(now);
  }
  for (let time = 1010; time <= 1130; time += 10) await memory.addRecord(key(time), { meta_v: 4, meta_total_reqs: 4 }, 'a', 600);
  await memory.writeField('gpumix:heartbeats', 'a', '1130');
  const { names, asked } = await readAt(1132);
  expect([asked[0], asked.length]).toEqual([1010, 13]);
  const arrivals = names.get('m')!.intervals.map((one) => (one.found === 'record' ? one.record.arrivals : null));
  expect(arrivals.slice(-14)).toEqual([2, ...Array(12).fill(7), 4]);
  expect((await readAt(1142)).asked[0]).toBe(1090);
});

test('on a clock that has stepped back, with the gateway on it, what is ahead is read anew', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 2000;
  for (let time = 1410; time <= 2000; time += 10) await memory.addRecord(key(time), { meta_v: 4, meta_total_reqs: 2 }, 'a', 900);
  await memory.writeField('gpumix:heartbeats', 'a', '2000');
  await readAt(2002);
  // Not yet: a gateway that goes by its own clock writes no key again.
  expect((await readAt(1942)).names.get('m')).toMatchObject({ lastRecordAt: 2000 });
  await memory.addRecord(key(1950), { meta_v: 4, meta_total_reqs: 5 }, 'a', 600, 2);
  await memory.writeField('gpumix:heartbeats', 'a', '1950');
  const { names } = await readAt(1952);
  expect(names.get('m')).toMatchObject({ lastRecordAt: 1950 });
  expect(names.get('m')!.intervals.at(-1)).toMatchObject({ time: 1950, record: { arrivals: 5 } });
});

test('what gateways hold is told as long as they renew it', async () => {
  const { memory, readAt } = world();
  const held = { model: 'm', at: 990, requests: 3, inputTokens: 300, outputTokens: 90 };
  await memory.writeField('gpumix:held', 'a m', JSON.stringify(held));
  await memory.writeField('gpumix:held', 'b m', JSON.stringify({ ...held, at: 960 }));
  await memory.writeField('gpumix:held', 'c m', 'broken');
  expect((await readAt(1000)).held).toEqual([held]);
  await memory.removeField('gpumix:held', 'a m');
  expect((await readAt(1010)).held).toEqual([]);
});

test('the newest record stays when it is older than the history, as it tells what silence since then means', async () => {
  const { clock, memory, key, readAt } = world();
  clock.now = 5000;
  for (const time of [4990, 5000]) await memory.write(key(time), recordText(1), 600);
  await readAt(5002);
  const { names } = await readAt(5902);
  const records = names.get('m')?.intervals.filter(({ found }) => found === 'record');
  expect(records?.map(({ time }) => time)).toEqual([5000]);
});
