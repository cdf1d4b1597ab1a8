import { expect, test } from 'vitest';
import { measurementsOf, percentile, type Sample } from '../../src/benchmark/samples.ts';

const size = { inputTokens: 8, outputTokens: 11 };
/** Sent one a second; the first token after 0.1 s, the last 1 s later. */
const served = (count: number): readonly Sample[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: 'served',
    sentAt: index,
    firstTokenAt: index + 0.125,
    doneAt: index + 1.125,
  }));
const valuesOf = (samples: readonly Sample[]) =>
  Object.fromEntries(measurementsOf(samples, size, 1).map(({ metric, values }) => [metric, values]));

test('five measurements; throughput is that of the completions among themselves', () => {
  const rows = measurementsOf(served(5), size, 2);
  expect(rows.map(({ metric, values }) => [metric, values.mean])).toEqual([
    ['TPUT', 1],
    ['TT', 11],
    ['E2E', 1.125],
    ['TTFT', 0.125],
    ['TPOT', 0.1],
  ]);
  expect(rows.map(({ samples, rate }) => [samples, rate])).toEqual(Array(5).fill([5, 2]));
});

test('a request that failed has taken for ever; few do not spoil the mean', () => {
  const failed: Sample = { kind: 'failed' };
  expect(valuesOf([...served(199), failed])['TTFT']).toEqual({ mean: 0.125, P50: 0.125, P90: 0.125, P99: 0.125 });
  const many = valuesOf([...served(90), ...Array(10).fill(failed)])['E2E'];
  expect(many).toMatchObject({ P50: 1.125, P99: Number.POSITIVE_INFINITY, mean: Number.POSITIVE_INFINITY });
});

test('of a request that was late when the rate was given up counts what is known so far', () => {
  const values = valuesOf([...served(1), { kind: 'late', ttftSeconds: 7, e2eSeconds: 9 }]);
  expect([values['TTFT'], values['E2E'], values['TPOT']].map((value) => value?.mean)).toEqual([3.5625, 5.0625, 0.1]);
});

test('of nothing nothing is known', () => {
  expect(valuesOf([])['TTFT']?.mean).toBeNaN();
  expect(valuesOf([])['TPUT']?.mean).toBe(0);
});

test.each([
  [[1, 2, 3, 4], 0.5, 2.5],
  [[1, 2, 3, 4, 5], 0.9, 4.6],
  [[7], 0.99, 7],
  [[1, Number.POSITIVE_INFINITY], 0, 1],
])('percentile of %j at %d as numpy has it', (values, share, expected) =>
  expect(percentile(values, share)).toBeCloseTo(expected, 12),
);

test('a rate that was given up has no throughput', () => {
  const rows = measurementsOf(served(5), size, 2, true);
  expect(rows.map(({ metric, values }) => [metric, Number.isNaN(values.mean)])).toEqual([
    ['TPUT', true],
    ['TT', true],
    ['E2E', false],
    ['TTFT', false],
    ['TPOT', false],
  ]);
});
