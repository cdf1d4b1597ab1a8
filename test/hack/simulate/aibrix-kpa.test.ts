import { expect, test } from 'vitest';
import { createKpa, kpaDefaults } from '../../../hack/simulate/aibrix-kpa.ts';

// Target 100, defaults, both windows at the value.
test.each([
  [3, 105, 3],
  [0, 100, 0],
  [10, 100, 10],
  [1, 350, 2],
  [2, 350, 4],
  [10, 50, 5],
  [1, 0, 0],
  [0, 250, 1],
  [3, 89.9, 1],
  [3, 110.1, 2],
])('from %i replicas at a value of %f to %i', (current, value, wanted) => {
  expect(createKpa(kpaDefaults)(0, value, current)).toBe(wanted);
});
