import { expect, test } from 'vitest';
import { nextRate, type Probed, type SearchLimits, servedRate } from '../../src/benchmark/rate-search.ts';

const limits: SearchLimits = { first: 1, guessed: false, lowest: 0.01, limit: 1000, precision: 0.05 };

/** Searches an engine that keeps its SLO up to a rate. */
const search = (boundary: number, given: Partial<SearchLimits> = {}) => {
  const probed: Probed[] = [];
  const all = { ...limits, ...given };
  for (let rate = nextRate(probed, all); rate !== null; rate = nextRate(probed, all))
    probed.push({ rate, kept: rate <= boundary });
  return { rates: probed.map(({ rate }) => rate), served: servedRate(probed) };
};

test('the boundary is bracketed and then halved in', () => {
  expect(search(5)).toEqual({ rates: [1, 2, 4, 8, 5.66, 4.76, 5.19, 4.97], served: 4.97 });
});

test.each([0.02, 0.3, 1, 7.7, 640])('what is found is within the precision below the boundary: %d', (boundary) => {
  const { served } = search(boundary);
  expect(served).toBeLessThanOrEqual(boundary);
  expect(served * 1.06).toBeGreaterThan(boundary);
});

test('a good guess needs fewer probes than none', () => {
  expect(search(5, { first: 4.8, guessed: true }).rates).toEqual([4.8, 5.28, 5.03]);
  expect(search(500, { first: 4.8, guessed: true }).served * 1.06).toBeGreaterThan(500);
});

test('at the ends of the range there is nothing more to try', () => {
  expect(search(5000)).toMatchObject({ served: 1000 });
  expect(search(0)).toMatchObject({ served: 0 });
  expect(search(0).rates.at(-1)).toBe(limits.lowest);
});

test('a rate that passes by luck above one that did not counts as nothing', () => {
  const probed = [
    { rate: 2, kept: true },
    { rate: 4, kept: false },
    { rate: 8, kept: true },
  ];
  expect([servedRate(probed), nextRate(probed, limits)]).toEqual([2, 2.83]);
});
