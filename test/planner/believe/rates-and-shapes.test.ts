import { describe, expect, test } from 'vitest';
import { arrivalGrowth, arrivalRate, demandOf, mergedDemand, shapeOf } from '../../../src/planner/believe/rates-and-shapes.ts';
import { exponential, seeded } from '../../../src/vocabulary/random.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { nothing, record } from '../../helpers/records.ts';

const never = Number.NEGATIVE_INFINITY;
const rate = (intervals: readonly Interval[], silentUntil = never, lostUntil = never, windowSeconds = 60) =>
  arrivalRate(intervals, 10, windowSeconds, { silentUntil, lostUntil });

describe('arrivalRate: counts over the seconds really covered', () => {
  test.each([
    {
      name: 'two records of 100 are 10 req/s',
      intervals: [record(1000, 100), record(1010, 100)],
      expected: 10,
    },
    { name: 'one record of 100 is 10 req/s', intervals: [record(1000, 100)], expected: 10 },
    {
      name: 'an absent record before a newer one is an empty interval',
      intervals: [record(1010, 60), nothing(1020), record(1030, 60)],
      expected: 4,
    },
    {
      name: 'an absent record after the newest is unknown',
      intervals: [record(1010, 60), nothing(1020), nothing(1030)],
      expected: 6,
    },
    {
      name: 'a broken record is unknown',
      intervals: [record(1010, 60), { time: 1020, found: 'broken' as const }, record(1030, 60)],
      expected: 6,
    },
    { name: 'only the window counts', intervals: [record(900, 9000), record(1000, 50), record(1010, 50)], expected: 5 },
    {
      name: 'an interval of 5 s covers 5 s',
      intervals: [record(1000, 10, { meta_interval_sec: 5 })],
      expected: 2,
    },
  ])('$name', ({ intervals, expected }) => {
    expect(rate(intervals)).toBe(expected);
  });

  test('a credible silence is covered as empty', () => {
    expect(rate([record(1010, 60), nothing(1020), nothing(1030)], 1030)).toBe(2);
  });

  test('before the first record nobody knows: a gateway that has just begun is not taken for one with little traffic', () => {
    expect(rate([nothing(980), nothing(990), record(1000, 100)])).toBe(10);
  });

  test('where the store may have lost records, their absence says nothing', () => {
    const restarted = [record(960, 10), nothing(970), nothing(980), record(990, 10), record(1000, 10)];
    expect(rate(restarted)).toBe(0.6);
    expect(rate(restarted, never, 985)).toBe(1);
  });

  describe('where the rate has changed for certain, only what came since counts', () => {
    const counts = (...arrivals: readonly number[]) => arrivals.map((count, index) => record(1000 + 10 * index, count));
    test.each([
      { name: 'a step up counts from its first whole interval', arrivals: [100, 104, 97, 99, 101, 400], expected: 40 },
      { name: 'a step down too', arrivals: [400, 391, 405, 100], expected: 10 },
      { name: 'of two changes the last', arrivals: [100, 98, 400, 395, 103, 97], expected: 10 },
      { name: 'noise is no change', arrivals: [100, 82, 111, 95, 122, 90], expected: 10 },
      { name: 'bursts that come all the time are none', arrivals: [0, 300, 10, 290, 0, 300], expected: 15 },
      { name: 'silence is none: the states judge it', arrivals: [120, 120, 0, 0], expected: 6 },
    ])('$name', ({ arrivals, expected }) => {
      expect(rate(counts(...arrivals), never, never, 600)).toBe(expected);
    });

    test('Poisson noise of a day is taken for a change at most a few times', () => {
      const random = seeded(1);
      const all: Interval[] = [];
      for (let index = 0, left = exponential(random, 0.1); index < 8640; index += 1, left -= 10) {
        let arrivals = 0;
        for (; left < 10; left += exponential(random, 0.1)) arrivals += 1;
        all.push(record(10 * index, arrivals));
      }
      const cut = all.filter((_, index) => {
        const window = all.slice(Math.max(0, index - 17), index + 1);
        const plain = window.reduce((sum, one) => sum + (one.found === 'record' ? one.record.arrivals : 0), 0);
        return Math.abs(rate(window, never, never, 180) - plain / (10 * window.length)) > 1e-9;
      });
      expect(cut.length).toBeLessThan(20);
    });
  });

  test('nothing covered is not a number, and not 0', () => {
    expect(rate([nothing(1000)])).toBeNaN();
    expect(rate([])).toBeNaN();
  });
});

describe('shapeOf', () => {
  test('completions of unknown size leave the shape as it is', () => {
    const shape = shapeOf([record(1000, 7, { '80:60': 3, '100:60': 1, '0:0': 6 })], 60);
    expect(shape).toEqual({
      shape: [
        { inputTokens: 256, outputTokens: 64, share: 0.75 },
        { inputTokens: 1024, outputTokens: 64, share: 0.25 },
      ],
      requests: 4,
      until: 1000,
    });
  });

  test('arrivals without completions have no shape', () => {
    expect(shapeOf([record(1000, 120), record(1010, 120), record(1020, 120)], 60)).toBeNull();
  });

  test('records outside the window do not count', () => {
    expect(shapeOf([record(1000, 1, { '80:60': 1 }), record(2000, 1, { '90:60': 1 })], 60)).toMatchObject({
      shape: [{ inputTokens: 512 }],
      requests: 1,
    });
  });

  test('what ends after the last arrival are the longest, and counts only where nothing else is known', () => {
    const short = record(1000, 5, { '80:60': 4 });
    const long = record(1010, 0, { '120:60': 1 });
    expect(shapeOf([short, long], 60)).toMatchObject({ shape: [{ inputTokens: 256 }], requests: 4, until: 1000 });
    expect(shapeOf([long], 60)).toMatchObject({ requests: 1, until: 1010 });
  });
});

describe('arrivalGrowth', () => {
  const growth = (rates: readonly number[]) =>
    arrivalGrowth(
      rates.map((one, index) => record(1000 + 10 * index, 10 * one)),
      10,
      { silentUntil: never, lostUntil: never },
    );

  test('of a straight line is its slope', () => {
    expect(growth([10, 10.5, 11, 11.5, 12])).toBeCloseTo(0.05, 12);
    expect(growth([12, 11.5, 11, 10.5])).toBeCloseTo(-0.05, 12);
  });

  test('is of the last two minutes, and of what came after a step', () => {
    expect(growth([...Array(12).fill(90), ...Array.from({ length: 12 }, (_, index) => 10 + index)])).toBeCloseTo(0.1, 12);
    expect(growth([...Array(6).fill(10), ...Array(5).fill(50)])).toBe(0);
  });

  test('is nothing where fewer than three intervals are known', () => {
    expect(growth([10, 20])).toBe(0);
  });
});

test('demandOf spreads the rate over the shape, headroom included', () => {
  const shape = [
    { inputTokens: 1, outputTokens: 2, share: 0.25 },
    { inputTokens: 3, outputTokens: 4, share: 0.75 },
  ];
  expect(demandOf(8, shape, 0.5).map(({ arrivalRate: lambda }) => lambda)).toEqual([3, 9]);
});

test('mergedDemand adds the rows of several names by size', () => {
  const row = (inputTokens: number, lambda: number) => ({ inputTokens, outputTokens: 8, arrivalRate: lambda });
  expect(mergedDemand([[row(64, 1)], [row(32, 2), row(64, 3)]])).toEqual([row(32, 2), row(64, 4)]);
});
