import { expect, test } from 'vitest';
import { undoneChanges } from '../../../hack/simulate/undone-changes.ts';
import type { RunSample } from '../../../src/simulation/policy-run.ts';

const samples = (...path: readonly (readonly [number, number])[]): RunSample[] =>
  path.map(([time, replicas]) => ({ time, spec: { a: replicas } }) as unknown as RunSample);

test('a replica that is added and taken away within 15 minutes was for nothing, and the other way round', () => {
  expect(undoneChanges(samples([0, 1], [60, 3], [600, 2], [900, 2]))).toBe(1);
  expect(undoneChanges(samples([0, 3], [60, 1], [600, 3]))).toBe(2);
});

test('what lasts is not, and nothing counts twice', () => {
  expect(undoneChanges(samples([0, 1], [60, 3], [1000, 1]))).toBe(0);
  expect(undoneChanges(samples([0, 1], [60, 2], [120, 1], [180, 1]))).toBe(1);
});
