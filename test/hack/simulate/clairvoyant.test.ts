import { expect, test } from 'vitest';
import { clairvoyantBound, clairvoyantPath } from '../../../hack/simulate/clairvoyant.ts';
import { profileOf } from '../../../src/profiles/profile-document.ts';
import { engineSpeed } from '../../../src/simulation/engine-speeds.ts';
import type { Traffic } from '../../../src/simulation/traffic.ts';

const small = { inputTokens: 64, outputTokens: 64 };
const large = { inputTokens: 4096, outputTokens: 64 };
/** One replica serves `small` and `large` req/s of the two sizes. */
const profile = (served: number, servedLarge: number) =>
  profileOf({ gpu: 'x', cost: 1, indexes: [[64], [64, 4096]], tputs: [[served, servedLarge]] }, 'test');
const variant = (key: string, price: number, startupSeconds = 0) => ({
  key,
  gpu: key,
  gpusPerReplica: 1,
  price,
  startupSeconds,
  speed: engineSpeed('H100'),
});
const traffic = (rates: readonly (readonly [number, number])[], stepSeconds: number): Traffic => ({
  requests: [],
  seconds: rates.length * stepSeconds,
  demandAt: (time) => {
    const [first, second] = rates[Math.floor(time / stepSeconds)]!;
    return [
      { ...small, arrivalRate: first },
      { ...large, arrivalRate: second },
    ];
  },
});
const hours = (seconds: number) => seconds / 3600;

test('steady demand costs the cheapest mix all the time', () => {
  // Small ones are cheap on a, large ones on b: 2 a + 1 b at 1 and 3 per hour.
  const variants = [variant('a', 1), variant('b', 3)];
  const profiles = new Map([
    ['a', profile(5, 0.1)],
    ['b', profile(5, 2)],
  ]);
  const bound = clairvoyantBound({
    traffic: traffic(
      [
        [10, 2],
        [10, 2],
      ],
      60,
    ),
    variants,
    profiles,
    holdDownSeconds: 0,
    stepSeconds: 60,
  });
  expect(bound).toBeCloseTo(hours(120) * 5, 9);
});

test('a replica is paid while it starts and while it is held; a short dip is cheaper filled', () => {
  const variants = [variant('a', 1, 60)];
  const profiles = new Map([['a', profile(1, 1)]]);
  const cost = (rates: readonly number[], holdDownSeconds: number) =>
    clairvoyantBound({
      traffic: traffic(
        rates.map((rate) => [rate, 0] as const),
        60,
      ),
      variants,
      profiles,
      holdDownSeconds,
      stepSeconds: 60,
    });
  // One replica for ten minutes; a second for two of them, with one of start and two of hold.
  expect(cost([1, 1, 1, 1, 2, 2, 1, 1, 1, 1], 120)).toBeCloseTo(hours(600 + 120 + 60 + 120), 9);
  // A dip of two minutes between is filled: three would be paid for leaving and coming back.
  expect(cost([2, 2, 1, 1, 2, 2], 120)).toBeCloseTo(hours(2 * 360), 9);
  // A dip of four minutes is not.
  expect(cost([2, 2, 1, 1, 1, 1, 2, 2], 120)).toBeCloseTo(hours(2 * 480 - 60), 9);
});

test('no path that carries the demand is cheaper: every path of a small case is tried', () => {
  const variants = [variant('a', 1, 60), variant('b', 2, 60)];
  const profiles = new Map([
    ['a', profile(1, 0.4)],
    ['b', profile(1.5, 2)],
  ]);
  const rates: (readonly [number, number])[] = [
    [1, 0.5],
    [2, 1.5],
    [0.5, 2],
    [1, 0],
  ];
  const bound = clairvoyantBound({
    traffic: traffic(rates, 60),
    variants,
    profiles,
    holdDownSeconds: 30,
    stepSeconds: 60,
  });
  expect(bound).toBeLessThanOrEqual(cheapestPath(rates) + 1e-12);
  expect(bound).toBeGreaterThan(0.97 * cheapestPath(rates));
});

/** By trying all: mixes of up to 4 + 3 at each of the steps, 60 s of start and 30 s of hold. */
const cheapestPath = (rates: readonly (readonly [number, number])[]): number => {
  const mixes = Array.from({ length: 20 }, (_, index) => [index % 5, Math.floor(index / 5)] as const);
  const carries = ([a, b]: readonly [number, number], [first, second]: readonly [number, number]): boolean =>
    // All small ones on a first, or all large ones on b first; any split of the small ones between.
    Array.from({ length: 101 }, (_, share) => share / 100).some((share) =>
      Array.from({ length: 101 }, (_, other) => other / 100).some(
        (other) =>
          (share * first) / 1 + (other * second) / 0.4 <= a + 1e-9 &&
          ((1 - share) * first) / 1.5 + ((1 - other) * second) / 2 <= b + 1e-9,
      ),
    );
  const allowed = rates.map((rate) => mixes.filter((mix) => carries(mix, rate)));
  const price = [1, 2] as const;
  let costs = new Map(allowed[0]!.map((mix) => [mix, hours(60) * (mix[0] + 2 * mix[1])]));
  for (const [index, some] of allowed.entries()) {
    if (index === 0) continue;
    const left = (rates.length - index) * 60;
    costs = new Map(
      some.map((mix) => [
        mix,
        Math.min(
          ...[...costs].map(([from, cost]) =>
            [0, 1].reduce((sum, g) => {
              const more = mix[g as 0 | 1] - from[g as 0 | 1];
              return sum + hours(more > 0 ? more * 60 : -more * Math.min(30, left)) * price[g as 0 | 1];
            }, cost),
          ),
        ) +
          hours(60) * (mix[0] + 2 * mix[1]),
      ]),
    );
  }
  return Math.min(...costs.values());
};

test('the path is the one that the cost is of: it grows and shrinks with the demand', () => {
  const variants = [variant('a', 1, 60)];
  const profiles = new Map([['a', profile(1, 1)]]);
  const rates = [1, 1, 3, 3, 1, 1];
  const path = clairvoyantPath({
    traffic: traffic(
      rates.map((rate) => [rate, 0] as const),
      600,
    ),
    ...{ variants, profiles, holdDownSeconds: 0, stepSeconds: 600 },
  });
  expect(path.mixes.map(([replicas]) => replicas)).toEqual(rates);
  // Two replicas more are paid for their startup too.
  expect(path.cost).toBeCloseTo(hours(600 * 10 + 2 * 60), 9);
});
