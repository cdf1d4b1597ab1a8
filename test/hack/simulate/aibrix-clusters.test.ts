import { expect, test } from 'vitest';
import { clustersOf } from '../../../hack/simulate/aibrix-clusters.ts';

test('neighbours chain: many sizes become one cluster of their geometric mean', () => {
  const points = Array.from({ length: 41 }, (_, k) => ({
    time: 10,
    input: 7 + 0.1 * k,
    output: 2 + 0.15 * k,
    count: 120,
  }));
  const clusters = clustersOf(points);
  expect(clusters).toHaveLength(1);
  expect([2 ** clusters[0]!.input, 2 ** clusters[0]!.output]).toEqual([expect.closeTo(512, 6), expect.closeTo(32, 6)]);
});
