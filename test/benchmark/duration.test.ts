import { expect, test } from 'vitest';
import { expectedSeconds, secondsLeft } from '../../src/benchmark/duration.ts';

const effort = { slo: { percentile: 99, ttft: 2, tpot: 0.1 }, requests: 300, mostSeconds: 300 };
const size = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens });

test('before anything is known it is what is expected at most', () => {
  const sizes = [size(4, 4), size(4, 512)];
  expect(secondsLeft(sizes, effort, [])).toBe(expectedSeconds(sizes[0]!, effort) + expectedSeconds(sizes[1]!, effort));
});

test('a size is taken to be like the last one with as many output tokens, else like the last of all', () => {
  const taken = [
    { size: size(4, 4), ratio: 0.1 },
    { size: size(4, 512), ratio: 0.5 },
    { size: size(8, 4), ratio: 0.2 },
  ];
  const left = (outputTokens: number) => secondsLeft([size(8, outputTokens)], effort, taken);
  const expected = (outputTokens: number) => expectedSeconds(size(8, outputTokens), effort);
  expect([left(4), left(512), left(64)]).toEqual([0.2 * expected(4), 0.5 * expected(512), 0.2 * expected(64)]);
});

test('what is left does not grow where long answers take a greater share of what is expected', () => {
  const sizes = [4, 8, 16, 32].flatMap((inputTokens) => [4, 64, 1024].map((outputTokens) => size(inputTokens, outputTokens)));
  const taken = sizes.map((one) => ({ size: one, ratio: 0.05 * Math.log2(one.outputTokens) }));
  const told = sizes.map((_, index) => secondsLeft(sizes.slice(index + 1), effort, taken.slice(0, index + 1)));
  // Once each length of an answer has been seen.
  const known = told.slice(2);
  expect(known).toEqual(known.toSorted((a, b) => b - a));
});
