import { expect, test } from 'vitest';
import { NumberBounds } from '../../src/solver/number-bounds.ts';
import { lineScale, type Program } from '../../src/solver/program.ts';
import { Relaxation } from '../../src/solver/relaxation.ts';
import { Random } from './random.ts';
import { example } from './worked-example.ts';

const never = Number.POSITIVE_INFINITY;
const scaled = ({ loads }: Program): Float64Array => loads.map((load) => load / lineScale);

/** Types that are alike, with bounds on some. */
const alike = (random: Random, types: number): Program => {
  const classes = random.whole(1, 5);
  const loads = Array.from({ length: classes }, () => random.between(0.2, 1.5));
  return {
    ...{ types, classes },
    loads: Float64Array.from({ length: types * classes }, (_, at) => loads[Math.floor(at / types)]! * random.between(0.95, 1.05)),
    prices: Float64Array.from({ length: types }, () => random.whole(95, 105) / 100),
    lower: Float64Array.from({ length: types }, () => (random.chance(0.2) ? 1 : 0)),
    upper: Float64Array.from({ length: types }, () => (random.chance(0.4) ? random.whole(1, 3) : 9)),
  };
};

/** What the relaxation costs at prices less mu (money/h). */
const relaxed = (program: Program, mu: number): number => {
  const relaxation = new Relaxation({ ...program, prices: program.prices.map((price) => price - mu) }, scaled(program));
  relaxation.solve(never);
  return relaxation.bound;
};

test('no price of one replica more on a grid promises more than what is found, which is what its own price promises', () => {
  let found = 0;
  for (let seed = 0; seed < 80; seed++) {
    const program = alike(new Random(seed), 3);
    const bounds = new NumberBounds(program, scaled(program));
    for (const { n, mu, bound } of [bounds.below(never), bounds.above(never)]) {
      if (!(bound < 100)) continue;
      expect(bound).toBeCloseTo(mu * n + relaxed(program, mu), 9);
      for (let other = -3; other < 0.9; other += 0.05)
        expect(other * n + relaxed(program, other)).toBeLessThanOrEqual(bound * (1 + 1e-6));
      found++;
    }
  }
  expect(found).toBeGreaterThan(80);
});

test('no mix of so many replicas that carries the demand costs less', () => {
  let mixes = 0;
  for (let seed = 100; seed < 140; seed++) {
    const program = alike(new Random(seed), 3);
    const bounds = new NumberBounds(program, scaled(program));
    const relaxation = new Relaxation(program, scaled(program));
    for (let at = 0; at < 1000; at++) {
      const y = Float64Array.of(at % 10, Math.floor(at / 10) % 10, Math.floor(at / 100));
      if (y.some((count, g) => count < program.lower[g]! || count > program.upper[g]!)) continue;
      relaxation.lower.set(y);
      relaxation.upper.set(y);
      relaxation.restart();
      if (relaxation.solve(never) !== 'optimal') continue;
      const cost = y.reduce((sum, count, g) => sum + count * program.prices[g]!, 0);
      const n = y.reduce((sum, count) => sum + count, 0);
      if (n < 8) expect(bounds.at(n, never).bound).toBeLessThanOrEqual(cost * (1 + 1e-9));
      mixes++;
    }
  }
  expect(mixes).toBeGreaterThan(1000);
});

test('outside the bounds of all types there are no mixes', () => {
  const bounds = new NumberBounds({ ...example, lower: Float64Array.of(1, 0), upper: Float64Array.of(2, 3) }, scaled(example));
  expect(bounds.at(0, never).bound).toBe(never);
  expect(bounds.at(6, never).bound).toBe(never);
  expect(bounds.at(5, never).bound).toBeLessThan(never);
});

test('what is fluid is no replica', () => {
  const bounds = new NumberBounds({ ...example, fluid: 1 }, scaled(example));
  expect([...bounds.pricesLess(0.5)]).toEqual([3.5, 1]);
  // One A, and as much of B as is left.
  expect(bounds.below(never)).toMatchObject({ n: 1, bound: expect.closeTo(6.6, 6) });
});
