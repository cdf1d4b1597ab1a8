import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrivalRate } from '../../../src/planner/believe/rates-and-shapes.ts';
import { recordDefectText, trustedHistory } from '../../../src/planner/believe/record-defects.ts';
import { type Interval, type NameHistory, recordOf } from '../../../src/workload/workload.ts';
import { nothing, record } from '../../helpers/records.ts';

const history = (intervals: readonly Interval[]): NameHistory => ({
  intervals,
  intervalSeconds: 10,
  lastRecordAt: intervals.findLast(({ found }) => found === 'record')?.time ?? null,
});
const arrivalsOf = ({ intervals }: NameHistory) => intervals.map((one) => recordOf(one)?.arrivals ?? null);
const pendingOf = ({ intervals }: NameHistory) => intervals.map((one) => recordOf(one)?.pending ?? null);
/** A record in which so many requests came in by its total, ended by its buckets, and are pending. */
const says = (time: number, arrived: number, ended: number, pending: number): Interval =>
  record(time, arrived, { '100:60': ended, meta_pending_reqs: pending });
const rateOf = ({ intervals }: NameHistory, windowSeconds = 240) =>
  arrivalRate(intervals, 10, windowSeconds, {
    silentUntil: Number.NEGATIVE_INFINITY,
    lostUntil: Number.NEGATIVE_INFINITY,
  });

describe('a writer is trusted as far as nothing is held against it', () => {
  test('a right record is not touched', () => {
    const right = history([says(10, 100, 40, 60), says(20, 100, 100, 60), says(30, 0, 60, 0)]);
    expect(trustedHistory(right, [], 1)).toBe(right);
  });

  test('negative pending: what ended stands for what came in', () => {
    const seen = trustedHistory(history([says(10, 1, 98, -300), says(20, 0, 102, -504)]), [], 1);
    expect(arrivalsOf(seen)).toEqual([98, 102]);
    expect(pendingOf(seen)).toEqual([null, null]);
    expect(seen.defect).toEqual({ kind: 'arrivals', counted: 1, ended: 200, lastAt: 20 });
  });

  test('totals that agree with what ended stand, only the negative pending does not', () => {
    const seen = trustedHistory(history([says(10, 105, 98, -300), says(20, 100, 102, -400)]), [], 1);
    expect(arrivalsOf(seen)).toEqual([105, 100]);
    expect(seen.defect).toMatchObject({ kind: 'pending' });
    expect(recordDefectText('m', seen.defect!)).toMatch(/^model m: its gateway counts fewer than 0 requests as pending/);
  });

  test('more ended than was pending and came in, though pending is never negative', () => {
    const clamped = [10, 20, 30, 40, 50].map((time) => says(time, 1, 100, 0));
    expect(arrivalsOf(trustedHistory(history(clamped), [], 1))).toEqual([1, 100, 100, 100, 100]);
  });

  test('a burst that was pending ends without being a contradiction', () => {
    const burst = history([says(10, 500, 0, 500), says(20, 0, 200, 300), says(30, 0, 200, 100), says(40, 0, 100, 0)]);
    expect(trustedHistory(burst, [], 1)).toBe(burst);
  });

  test('after a lost record nothing is proven', () => {
    const lost = history([says(10, 0, 0, 0), nothing(20), says(30, 0, 200, 400), says(40, 0, 200, 200), says(50, 0, 200, 0)]);
    expect(trustedHistory(lost, [], 1)).toBe(lost);
  });

  test('a burst that the broken writer does count is not cut to what has ended of it', () => {
    const seen = trustedHistory(history([says(10, 1, 100, -500), says(20, 900, 100, -300), says(30, 5, 800, -1100)]), [], 1);
    expect(arrivalsOf(seen)).toEqual([100, 900, 800]);
  });

  test('gateways of several releases in turn are told apart record by record', () => {
    const seen = trustedHistory(history([says(10, 1, 90, -500), says(20, 110, 95, 40), says(30, 2, 100, -700)]), [], 1);
    expect(arrivalsOf(seen)).toEqual([90, 110, 100]);
    expect(pendingOf(seen)).toEqual([null, 40, null]);
  });

  test('a writer that was mended is no longer named after a minute', () => {
    const mended = Array.from({ length: 7 }, (_, index) => says(20 + 10 * index, 100, 100, 50));
    const broken = says(10, 1, 90, -500);
    expect(trustedHistory(history([broken, ...mended.slice(0, 6)]), [], 1).defect).not.toBeNull();
    expect(trustedHistory(history([broken, ...mended]), [], 1).defect).toBeNull();
  });
});

describe('gateways that overwrite each other’s records', () => {
  const third = [10, 20, 30, 40].map((time) => says(time, 33, 33, 10));
  const samples = (perInterval: number) =>
    [0, 1, 2, 3].map((index) => ({ at: 2 + 10 * index, inFlight: 30, ended: perInterval * index }));

  test('the engines’ counts stand for all of them, and for the newest, of which nothing is known yet, in proportion', () => {
    const seen = trustedHistory(history(third), samples(100), 1);
    expect(arrivalsOf(seen)).toEqual([100, 100, 100, 100]);
    expect(seen.defect).toEqual({ kind: 'overwritten', counted: 99, ended: 300, lastAt: 40 });
  });

  test('engines that count about as many as the records prove nothing', () => {
    const right = history(third);
    expect(trustedHistory(right, samples(38), 1)).toBe(right);
  });

  test('a pod that is gone takes its counts with it, and proves nothing', () => {
    const gone = [400, 300, 200, 100].map((ended, index) => ({ at: 2 + 10 * index, inFlight: 30, ended }));
    const right = history(third);
    expect(trustedHistory(right, gone, 1)).toBe(right);
  });
});

describe('what engines hold is added', () => {
  const broken = [10, 20, 30, 40].map((time) => says(time, 0, 100, -1000));
  const held = (...requests: readonly number[]) =>
    requests.map((one, index) => ({ at: 2 + 10 * index, inFlight: one, ended: null }));

  test('growth of what is in flight has come in and not ended', () => {
    const seen = trustedHistory(history(broken), held(50, 50, 80, 120), 1);
    expect(arrivalsOf(seen)).toEqual([100, 130, 140, 100]);
    // Of the newest interval nothing was heard yet: what was held before it is the best that is known.
    expect(pendingOf(seen)).toEqual([50, 80, 120, 120]);
  });

  test('what a lost pod held has not ended, and lowers nothing', () => {
    expect(arrivalsOf(trustedHistory(history(broken), held(50, 50, 20, 20), 1))).toEqual([100, 100, 100, 100]);
  });

  test('a name has its share of what its model holds', () => {
    expect(arrivalsOf(trustedHistory(history(broken), held(50, 50, 80, 120), 0.5))).toEqual([100, 115, 120, 100]);
  });
});

/** Arrivals of a Poisson process, each served for an exponential time, as records of a gateway: right, or broken as v0.7.0 is. */
const simulated = (rate: number, seconds: number, seed: number, broken: boolean): readonly Interval[] => {
  const random = randomFrom(seed);
  const exponential = (mean: number) => -mean * Math.log(1 - random());
  const [from, until] = [-300, 600];
  const requests: { at: number; end: number; counted: boolean }[] = [];
  for (let at = from; at < until; at += exponential(1 / rate))
    requests.push({ at, end: at + exponential(seconds), counted: !broken || random() < 0.012 });
  const within = (time: number, end: number) => time > end - 10 && time <= end;
  return Array.from({ length: 60 }, (_, index) => {
    const end = 10 * (index + 1);
    const before = requests.filter(({ at }) => at <= end);
    const pending = broken
      ? before.filter(({ counted }) => counted).length - 2 * before.filter((one) => one.end <= end).length
      : before.filter((one) => one.end > end).length;
    const arrived = requests.filter(({ at, counted }) => counted && within(at, end)).length;
    return says(end, arrived, requests.filter((one) => within(one.end, end)).length, pending);
  });
};

/** mulberry32: a small generator that is the same everywhere. */
const randomFrom = (seed: number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
};

describe('rates', () => {
  test('of a right writer are not biased: nothing is held against it at any load', () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.double({ min: 0.05, max: 40, noNaN: true }),
        fc.double({ min: 0.5, max: 60, noNaN: true }),
        (seed, rate, seconds) => {
          const right = history(simulated(rate, seconds, seed, false));
          expect(trustedHistory(right, [], 1)).toBe(right);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('the larger number of each record would be too high at a steady rate', () => {
    const right = history(simulated(10, 8, 3, false));
    const larger = right.intervals.map((one): Interval => {
      const { arrivals, completed } = recordOf(one)!;
      return record(one.time, Math.max(arrivals, completed));
    });
    expect(rateOf(history(larger)) / rateOf(right)).toBeGreaterThan(1.03);
  });

  test.each([2, 10, 50])('of the broken writer at %i req/s are those of the requests', (rate) => {
    const ratios = Array.from(
      { length: 20 },
      (_, seed) => rateOf(trustedHistory(history(simulated(rate, 8, seed, true)), [], 1)) / rate,
    );
    const mean = ratios.reduce((sum, one) => sum + one, 0) / ratios.length;
    expect(mean).toBeGreaterThan(0.98);
    expect(mean).toBeLessThan(1.02);
    expect(rateOf(history(simulated(rate, 8, 1, true))) / rate).toBeLessThan(0.05);
  });
});
