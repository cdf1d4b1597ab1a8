import { expect, test } from 'vitest';
import { countedArrivals } from '../../src/benchmark/arrivals.ts';
import { queueSeconds } from '../../src/benchmark/queue.ts';
import { nextRate, steepness } from '../../src/benchmark/rate-search.ts';
import type { Sample } from '../../src/benchmark/samples.ts';
import { verdictOf } from '../../src/benchmark/verdict.ts';
import { exponential, seeded } from '../../src/vocabulary/random.ts';

const size = { inputTokens: 512, outputTokens: 16 };
const rate = 4;
const slo = { percentile: 99, ttft: 2 };
/** Requests whose times to the first token fall off exponentially: the 99th percentile is 4.6 of their scale. */
const samplesOf = (count: number, scale: number, failed = 0): readonly Sample[] => {
  const random = seeded(3);
  return Array.from({ length: count }, (_, index): Sample => {
    const sentAt = index / rate;
    const firstTokenAt = sentAt + exponential(random, scale);
    return index < failed ? { kind: 'failed' } : { kind: 'served', sentAt, firstTokenAt, doneAt: firstTokenAt + 0.1 };
  });
};
const verdict = (count: number, p99: number, given: { tolerance?: number; failed?: number } = {}) =>
  verdictOf(samplesOf(count, p99 / 4.6, given.failed), size, { slo, rate, tolerance: given.tolerance ?? 0 });

test.each([
  { name: 'few, far below the limit', count: 300, p99: 0.5, is: 'kept' },
  { name: 'few, near the limit', count: 300, p99: 1.7, is: 'unsure' },
  { name: 'many, near the limit', count: 60_000, p99: 1.7, is: 'kept' },
  { name: 'few, beyond the limit by a little', count: 300, p99: 2.4, is: 'unsure' },
  { name: 'many, beyond the limit by a little', count: 60_000, p99: 2.4, is: 'missed' },
])('$name: $is', ({ count, p99, is }) => {
  expect(verdict(count, p99)).toBe(is);
});

test('what need not be known closer is decided as it looks', () => {
  expect([verdict(3000, 1.8), verdict(3000, 1.8, { tolerance: 1 })]).toEqual(['unsure', 'kept']);
  expect([verdict(3000, 2.3), verdict(3000, 2.3, { tolerance: 1 })]).toEqual(['unsure', 'missed']);
});

test('requests without an answer wait for ever', () => {
  expect(verdict(300, 0.5, { failed: 30 })).toBe('missed');
});

test('several limits: all must be kept for certain', () => {
  const samples = samplesOf(300, 0.1);
  const judged = (more: object) => verdictOf(samples, size, { slo: { ...slo, ...more }, rate, tolerance: 0 });
  expect([judged({ tpot: 0.1 }), judged({ tpot: 0.005 }), judged({ e2e: 0.6 })]).toEqual(['kept', 'missed', 'unsure']);
});

test('a queue settles by chance where few may wait, and by the overload that matters where many may', () => {
  expect([queueSeconds({ percentile: 99, ttft: 2 }, 1), queueSeconds({ percentile: 99, ttft: 2 }, 1000)]).toEqual([4, 40]);
  expect(queueSeconds({ percentile: 99, tpot: 0.1 }, 10)).toBe(0);
});

const options = { rate: 10, slo: { percentile: 99, tpot: 0.1 }, requests: 300, mostSeconds: 300 };

test('those that count begin when the batch is full, and double while there is time', () => {
  expect(countedArrivals(5, 14.9, options, seeded(1))).toBeNull();
  const arrivals = countedArrivals(5, 15, options, seeded(1))!;
  const stages = [arrivals.stage()];
  while (arrivals.extend()) stages.push(arrivals.stage());
  expect([stages, arrivals.most]).toEqual([[300, 600, 1200, 2400], 2400]);
});

test('in each stage they come at exactly the rate', () => {
  const arrivals = countedArrivals(5, 15, options, seeded(1))!;
  const sum = (from: number, to: number): number =>
    Array.from({ length: to - from }, (_, index) => arrivals.gapBefore(from + index)).reduce((all, gap) => all + gap, 0);
  expect(sum(0, 300)).toBeCloseTo(30, 9);
  expect(sum(300, 600)).toBeCloseTo(30, 9);
  expect(sum(600, 1200)).toBeCloseTo(60, 9);
});

test('how steep it is near the boundary is learned from rates that are apart', () => {
  const probed = (at: number, stretch: number | null) => ({ rate: at, kept: true, stretch });
  expect(steepness([])).toBe(2);
  expect(steepness([probed(10, 1), probed(10.2, 3)])).toBe(2);
  expect(steepness([probed(5, 0.5), probed(10, 4), probed(9.9, null)])).toBeCloseTo(3, 9);
  expect(steepness([probed(5, 0.5), probed(10, 0.5)])).toBe(1);
  expect(steepness([probed(8, 0.01), probed(10, 5)])).toBe(10);
  expect(nextRate([probed(5, 0.5)], { first: 1, guessed: false, lowest: 0, limit: 100, precision: 0.1 })).toBe(10);
});
