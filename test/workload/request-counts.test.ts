import fc from 'fast-check';
import { expect, test } from 'vitest';
import { requestCounts } from '../../src/workload/request-counts.ts';
import { splitter } from '../../src/workload/split-counts.ts';
import { wholeInterval } from '../helpers/records.ts';

test('what is split are whole numbers that sum up to it, and each part gets its weight over many', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 60 }).filter((some) => some.some(Boolean)),
      fc.array(fc.nat(1000), { maxLength: 40 }),
      (parts, counts) => {
        const whole = parts.reduce((sum, part) => sum + part, 0);
        const weights = parts.map((part) => part / whole);
        const split = splitter(weights);
        const sums = weights.map(() => 0);
        for (const count of counts) {
          const pieces = split(count);
          expect(pieces.every((piece) => Number.isInteger(piece) && piece >= 0)).toBe(true);
          expect(pieces.reduce((sum, piece) => sum + piece, 0)).toBe(count);
          for (const [index, piece] of pieces.entries()) sums[index]! += piece;
        }
        const total = counts.reduce((sum, count) => sum + count, 0);
        for (const [index, sum] of sums.entries())
          expect(Math.abs(sum - total * weights[index]!)).toBeLessThan(Math.log2(parts.length) + 2);
      },
    ),
  );
});

const after = (arrivals: number) => {
  const counts = requestCounts(10);
  for (let arrival = 0; arrival < arrivals; arrival += 1) counts.counter('m').arrived();
  return counts;
};
const arrivalsOf = (records: ReturnType<ReturnType<typeof requestCounts>['end']>) =>
  records.map(({ time, fields }) => [time, fields['meta_total_reqs']]);

test('counts are spread over the keys that they come from, and what is pending stands in each', () => {
  const counts = after(10);
  for (const [input, output] of [
    [1500, 200],
    [1500, 200],
    [1500, 200],
    [275, 20],
  ] as const)
    counts.counter('m').ended(input, output);
  const spans = [20, 30, 40].map((time) => ({ time, seconds: 10, round: 1 }));
  const records = counts.end({ time: 40, spans, paused: true }, ['m'], () => 2);
  expect(arrivalsOf(records)).toEqual([
    [20, 4],
    [30, 3],
    [40, 3],
  ]);
  expect(records.map(({ fields }) => fields['106:76'])).toEqual([1, 1, 1]);
  expect(records.map(({ fields }) => fields['80:42'] ?? 0).reduce((sum, one) => sum + one)).toBe(1);
  for (const { fields } of records) expect(fields).toMatchObject({ meta_pending_reqs: 6, meta_queueing_reqs: 2, meta_paused: 1 });
});

test.each([
  { name: 'as much as ever: the clock was mended', arrivals: 130, keys: [[60, 130]] },
  {
    name: 'more than ever: the host stood still',
    arrivals: 400,
    keys: [
      [30, 100],
      [40, 100],
      [50, 100],
      [60, 100],
    ],
  },
])('where the clock has leapt, and there is $name', ({ arrivals, keys }) => {
  const counts = after(100);
  counts.end(wholeInterval(20), ['m'], () => 0);
  for (let arrival = 0; arrival < arrivals; arrival += 1) counts.counter('m').arrived();
  const spans = [30, 40, 50, 60].map((time) => ({ time, seconds: time === 60 ? 10 : 0, round: 1 }));
  expect(arrivalsOf(counts.end({ time: 60, spans, paused: true }, ['m'], () => 0))).toEqual(keys);
});
