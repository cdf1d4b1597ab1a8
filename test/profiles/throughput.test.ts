import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Profile } from '../../src/profiles/profile-document.ts';
import { beyondSloThroughput, isExtrapolated, throughputAt, timeAt } from '../../src/profiles/throughput.ts';

/** 100, 400 and 1600 tokens in, 10 and 40 out; a cell per input x output. */
const grid = (throughput: readonly number[], more: Partial<Profile> = {}): Profile => ({
  ...{ inputTokens: [100, 400, 1600], outputTokens: [10, 40], throughput, e2eSeconds: null },
  ...{ deployment: null, slo: null, cost: 1, gpu: null, gpusPerReplica: null, created: null },
  ...more,
});
const steep = grid([32, 8, 8, 2, 2, 0.5]);
const at = (profile: Profile, input: number, output: number) => throughputAt(profile, input, output).throughput;

describe('within the grid', () => {
  test('a tick has its own throughput', () => {
    const all = steep.inputTokens.flatMap((input) => steep.outputTokens.map((output) => at(steep, input, output)));
    expect(all).toEqual(steep.throughput.map((each) => expect.closeTo(each, 9)));
  });

  test('halfway in log tokens along one axis or both it is the geometric mean', () => {
    expect([at(steep, 200, 10), at(steep, 800, 40), at(steep, 100, 20), at(steep, 200, 20)]).toEqual(
      [16, 1, 16, 8].map((each) => expect.closeTo(each, 9)),
    );
  });

  test('no throughput lies outside those of the four ticks around it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 50, noNaN: true }), { minLength: 6, maxLength: 6 }),
        fc.integer({ min: 100, max: 1600 }),
        fc.integer({ min: 10, max: 40 }),
        (cells, input, output) => {
          const around = input < 400 ? cells.slice(0, 4) : input > 400 ? cells.slice(2) : cells;
          const throughput = at(grid(cells), input, output);
          expect(throughput).toBeGreaterThanOrEqual(Math.min(...around) * (1 - 1e-9));
          expect(throughput).toBeLessThanOrEqual(Math.max(...around) * (1 + 1e-9));
        },
      ),
    );
  });
});

describe('a tick that is never within the SLO', () => {
  const holed = grid([32, 8, 8, 2, 0, 0]);

  test('stretches to the geometric means around it', () => {
    expect([at(holed, 799, 10) > 0, at(holed, 800, 10), at(holed, 1600, 40), at(holed, 9999, 10)]).toEqual([true, 0, 0, 0]);
  });

  test('is charged as the nearest servable one, in proportion to tokens where it is larger', () => {
    expect(beyondSloThroughput(holed, 1600, 10)).toBeCloseTo((8 * 410) / 1610, 9);
    expect(beyondSloThroughput(holed, 1600, 40)).toBeCloseTo((2 * 440) / 1640, 9);
    expect(beyondSloThroughput(grid([0, 8, 8, 2, 2, 1]), 100, 10)).toBeCloseTo(8, 9);
  });
});

describe('outside the grid', () => {
  test('below it the edge holds, also at no tokens', () => {
    for (const [input, output] of [
      [99, 9],
      [1, 1],
      [0, 0],
    ] as const) {
      expect(throughputAt(steep, input, output)).toMatchObject({ throughput: expect.closeTo(32, 9), extrapolated: true });
    }
  });

  test('above it the slope of the last two ticks goes on up to four times the edge, and then the tokens alone count', () => {
    expect([at(steep, 6400, 10), at(steep, 12_800, 10), at(steep, 64_000, 10)]).toEqual(
      [0.5, 0.25, 0.05].map((each) => expect.closeTo(each, 9)),
    );
    expect(at(steep, 64_000, 320)).toBeCloseTo(at(steep, 6400, 160) / 10, 9);
  });

  test('begins beyond the last tick and before the first', () => {
    const corners = [
      [100, 10],
      [1600, 40],
      [99, 10],
      [1601, 10],
      [100, 9],
      [100, 41],
    ] as const;
    expect(corners.map(([input, output]) => isExtrapolated(steep, input, output))).toEqual([
      false,
      false,
      true,
      true,
      true,
      true,
    ]);
  });
});

test('times are interpolated as loads are, hold beyond the edges, and are unknown where no tick around is known', () => {
  const unknown = Number.NaN;
  const seconds = [1, 4, 4, 16, unknown, unknown];
  expect([timeAt(steep, seconds, 200, 20), timeAt(steep, seconds, 1, 1), timeAt(steep, seconds, 100, 999)]).toEqual(
    [4, 1, 4].map((each) => expect.closeTo(each, 9)),
  );
  expect(timeAt(steep, seconds, 800, 40)).toBeCloseTo(16, 9);
  expect(timeAt(steep, seconds, 1600, 40)).toBeNaN();
  expect(throughputAt(grid(steep.throughput, { e2eSeconds: seconds }), 400, 10).e2eSeconds).toBeCloseTo(4, 9);
  expect(throughputAt(steep, 400, 10).e2eSeconds).toBeNaN();
});

test('a profile of one size serves that, smaller ones as fast, and larger ones in proportion to tokens', () => {
  const single = grid([6], { inputTokens: [90], outputTokens: [10] });
  expect([at(single, 90, 10), at(single, 9, 1), at(single, 190, 10)]).toEqual([6, 6, 3].map((each) => expect.closeTo(each, 9)));
});
