import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Profile, Slo } from '../../src/profiles/profile-document.ts';
import { beyondGrid, derated, extrapolatedShare, servedByProfile } from '../../src/profiles/served-demand.ts';

const row = (inputTokens: number, outputTokens: number, arrivalRate: number) => ({
  inputTokens,
  outputTokens,
  arrivalRate,
});
const profile = (slo: Slo | null): Profile => ({
  deployment: null,
  inputTokens: [64],
  outputTokens: [64, 1024],
  throughput: [6, 1],
  e2eSeconds: [1, 4],
  slo,
  cost: 1,
  gpu: null,
  gpusPerReplica: null,
  created: null,
});
const mixture = [row(64, 64, 3), row(64, 1024, 1)];

test('with a limit on the time per output token loads add', () => {
  const slo = { percentile: 99, ttft: 1, tpot: 0.05, e2e: 5 };
  expect(servedByProfile(profile(slo), mixture).throughput).toEqual([6, 1]);
  expect(servedByProfile(profile(null), mixture).throughput).toEqual([6, 1]);
});

test('with an end-to-end limit alone a mixture runs in a batch that its tightest size allows', () => {
  const served = servedByProfile(profile({ percentile: 99, e2e: 5 }), mixture);
  expect(served.throughput).toEqual([4, 1]);
  expect(served.throughputBeyondSlo).toEqual([4, 1]);
  expect(servedByProfile(profile({ percentile: 99, e2e: 5 }), [row(64, 64, 3)]).throughput).toEqual([6]);
});

test('a size that is rare enough to miss the limit, or does not arrive, tightens nothing', () => {
  const rare = [row(64, 64, 99.5), row(64, 1024, 0.5)];
  expect(servedByProfile(profile({ percentile: 99, e2e: 5 }), rare).throughput).toEqual([6, 1]);
  expect(servedByProfile(profile({ percentile: 99, e2e: 5 }), [row(64, 64, 1), row(64, 1024, 0)]).throughput[0]).toBe(6);
  const twoRare = [row(64, 64, 98), row(64, 1024, 0.7), row(64, 1024, 0.7)];
  expect(servedByProfile(profile({ percentile: 99, e2e: 5 }), twoRare).throughput).toEqual([4, 1, 1]);
});

test('a size that is not served, or whose time is unknown, neither tightens nor changes', () => {
  const demand = [row(1, 1, 1), row(2, 2, 1), row(3, 3, 1)];
  expect(derated(demand, [6, 0, 2], [1, 9, Number.NaN], 0)).toEqual([6, 0, 2]);
});

test('a replica filled with any mixture never has more in flight than any of its sizes allows', () => {
  const size = fc.record({
    rate: fc.double({ min: 0.01, max: 50, noNaN: true }),
    seconds: fc.double({ min: 0.05, max: 60, noNaN: true }),
    arrivalRate: fc.double({ min: 0.01, max: 100, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(size, { minLength: 1, maxLength: 12 }), (sizes) => {
      const demand = sizes.map(({ arrivalRate }, index) => row(index, index, arrivalRate));
      const alone = sizes.map(({ rate }) => rate);
      const seconds = sizes.map((one) => one.seconds);
      const throughput = derated(demand, alone, seconds, 0);
      const load = sizes.reduce((sum, { arrivalRate }, index) => sum + arrivalRate / throughput[index]!, 0);
      const inFlight = sizes.reduce((sum, one) => sum + (one.arrivalRate / load) * one.seconds, 0);
      for (const [index, one] of sizes.entries()) {
        expect(throughput[index]).toBeLessThanOrEqual(one.rate);
        expect(inFlight).toBeLessThanOrEqual(one.rate * one.seconds * (1 + 1e-9));
      }
    }),
  );
});

test('the share of demand outside the grid is known', () => {
  const given = profile(null);
  expect(extrapolatedShare(given, [row(64, 64, 3), row(64, 2048, 1)])).toBe(0.25);
  expect(extrapolatedShare(given, [row(32, 64, 1)])).toBe(1);
  expect(extrapolatedShare(given, [row(64, 512, 1)])).toBe(0);
  expect(extrapolatedShare(given, [])).toBe(0);
  expect(beyondGrid(given, [row(32, 64, 1), row(64, 64, 1), row(64, 2048, 2)])).toEqual({
    share: 0.5,
    largest: row(64, 2048, 2),
  });
  expect(beyondGrid(given, [row(32, 64, 1)])).toBeNull();
});
