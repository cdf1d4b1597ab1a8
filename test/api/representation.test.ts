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
])('%d is %s (item 27)', (value, text) => {
  expect(quantity(value)).toBe(text);
});

test('times are cut to seconds (item 26)', () => {
  expect(timestamp(1_790_769_605.999)).toBe('2026-09-30T12:00:05Z');
});
