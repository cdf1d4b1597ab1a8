import { expect, test } from 'vitest';
import { quantity, timestamp } from '../../src/api/representation.ts';

test.each([
  [0, '0'],
  [4, '4'],
  [999, '999'],
  [1000, '1k'],
  [1500, '1500'],
  [12_000, '12k'],
  [1_000_000, '1M'],
  [1_001_000, '1001k'],
])('27: %d is %s', (value, text) => {
  expect(quantity(value)).toBe(text);
});

test('26: times are cut to seconds', () => {
  expect(timestamp(1_790_769_605.999)).toBe('2026-09-30T12:00:05Z');
});
