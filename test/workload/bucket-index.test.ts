import { expect, test } from 'vitest';
import { bucketIndex, tokensOf } from '../../src/workload/bucket-index.ts';

test.each([
  [0, 0],
  [1, 0],
  [2, 10],
  [3, 16],
  [5, 23],
  [9, 32],
  [18, 42],
  [20, 42],
  [21, 44],
  [100, 66],
  [128, 70],
  [247, 79],
  [248, 80],
  [284, 80],
  [285, 82],
  [350, 85],
  [401, 85],
  [402, 87],
  [495, 90],
  [568, 90],
  [569, 92],
  [1500, 106],
  [200, 76],
  [275, 80],
  [100_000, 166],
  [1000, 100],
  [75_000, 161],
])('cases 1-5: %i tokens are counted at index %i', (tokens, index) => {
  expect(bucketIndex(tokens)).toBe(index);
});

test('106:76 decodes to 1552.09 and 194.01 tokens', () => {
  expect([tokensOf(106, 10), tokensOf(76, 10)].map((tokens) => tokens.toFixed(2))).toEqual(['1552.09', '194.01']);
});

test('the indexes that Go never emits are never emitted', () => {
  const emitted = new Set(Array.from({ length: 1_100_000 }, (_, tokens) => bucketIndex(tokens)));
  const missing = Array.from({ length: 201 }, (_, index) => index).filter((index) => index > 34 && !emitted.has(index));
  expect(missing).toEqual([43, 81, 86, 91, 162, 167, 172, 177, 182, 187]);
});
