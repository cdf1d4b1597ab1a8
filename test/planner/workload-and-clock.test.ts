import { describe, expect, test } from 'vitest';
import { workloadAndClock } from '../../src/planner/workload-and-clock.ts';
import type { NameHistory, Workload } from '../../src/workload/workload.ts';

const settings = { intervalSeconds: 10, settleSeconds: 5 };
const workload = (now: number, more: Partial<Workload> = {}): Workload => ({
  now,
  names: new Map(),
  writableSince: 0,
  lostUntil: Number.NEGATIVE_INFINITY,
  writeProblem: null,
  heartbeatAt: null,
  problems: [],
  ...more,
});

/** Our own clock, and what Redis answers; a read takes `takes` seconds. */
const stage = () => {
  const at = { clock: 1000, takes: 0, answer: (): Workload => workload(1000) };
  const watched = workloadAndClock(
    async () => {
      at.clock += at.takes;
      return at.answer();
    },
    () => at.clock,
    settings,
  );
  return { at, watched };
};

describe('the clock of Redis', () => {
  test('it is our own until it was read, and goes on between reads', async () => {
    const { at, watched } = stage();
    expect([watched.last(), watched.time()]).toEqual([null, 1000]);
    at.answer = () => workload(1001);
    expect(await watched.read([])).toEqual([]);
    at.clock += 7;
    expect(watched.time()).toBe(1008);
  });

  test('a difference of more than two seconds is said', async () => {
    const { at, watched } = stage();
    at.answer = () => workload(970);
    expect(await watched.read([])).toEqual(['our clock differs from that of Redis by -30 s; that of Redis counts']);
  });

  test('a read that takes long does not move it, as far as the time that was read agrees', async () => {
    const { at, watched } = stage();
    at.takes = 8;
    for (const read of [1000, 1012, 1019]) {
      at.answer = () => workload(read);
      expect(await watched.read([])).toEqual([]);
      expect(watched.time()).toBe(at.clock);
    }
  });
});

describe('reads', () => {
  test('one that fails says why, and what was read before stays', async () => {
    const { at, watched } = stage();
    await watched.read([]);
    const before = watched.last();
    at.answer = () => {
      throw new Error('Redis is away');
    };
    expect(await watched.read([])).toEqual(['Redis is away']);
    expect(watched.last()).toBe(before);
  });

  test('records that cannot be read and a write that is refused are each said', async () => {
    const { at, watched } = stage();
    at.answer = () => workload(1000, { problems: ['broken record'], writeProblem: 'READONLY' });
    expect(await watched.read([])).toEqual(['broken record', 'Redis takes no write of ours: READONLY']);
  });
});

test('intervals are numbered by the shortest that a record names, or else by the setting, once they have settled', async () => {
  const { at, watched } = stage();
  const name = (intervalSeconds: number, lastRecordAt: number | null): NameHistory => ({
    intervals: [],
    intervalSeconds,
    lastRecordAt,
  });
  expect(watched.intervalNumber()).toBe(99);
  at.clock = 1005;
  expect(watched.intervalNumber()).toBe(100);
  at.answer = () => workload(1005, { names: new Map([['never', name(1, null)]]) });
  await watched.read([]);
  expect(watched.intervalNumber()).toBe(100);
  at.answer = () =>
    workload(1005, {
      names: new Map([
        ['m', name(5, 990)],
        ['n', name(20, 980)],
      ]),
    });
  await watched.read([]);
  expect(watched.intervalNumber()).toBe(200);
});
