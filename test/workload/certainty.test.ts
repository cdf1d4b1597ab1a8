import fc from 'fast-check';
import { expect, test } from 'vitest';
import { certainDeviations, certainlyExceeds } from '../../src/workload/certainty.ts';

test.each([
  { more: 100, less: 50, exceeds: false },
  { more: 200, less: 100, exceeds: true },
  { more: 21, less: 0, exceeds: true },
  { more: 20, less: 0, exceeds: false },
  { more: 0, less: 0, exceeds: false },
])('$more and $less have another rate: $exceeds', ({ more, less, exceeds }) => {
  expect(certainlyExceeds(more, less)).toBe(exceeds);
});

test('two counts never exceed each other both, and what exceeds a count exceeds a smaller one', () => {
  const count = fc.integer({ min: 0, max: 100_000 });
  fc.assert(
    fc.property(count, count, count, (a, b, c) => {
      expect(certainlyExceeds(a, b) && certainlyExceeds(b, a)).toBe(false);
      if (certainlyExceeds(a, b) && c <= b) expect(certainlyExceeds(a, c)).toBe(true);
    }),
  );
  expect(certainDeviations).toBeGreaterThan(3);
});
