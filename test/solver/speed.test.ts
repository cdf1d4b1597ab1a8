import { expect, test } from 'vitest';
import { solve } from '../../src/solver/solve.ts';
import { measuredSpeed, yardstick } from '../../src/solver/speed.ts';

test('the fleet that speed is measured by is proven, so that no limit cuts its work', () => {
  expect(solve(yardstick)).toMatchObject({ status: 'optimal', servable: null });
});

test('speed is work per microsecond, of the faster run', () => {
  const { work } = solve(yardstick);
  const readings = [0, 400, 1000, 1100];
  expect(measuredSpeed(() => readings.shift()!)).toBeCloseTo(work / 100_000, 10);
});

test('a clock that stands still tells no speed', () => {
  expect(measuredSpeed(() => 5)).toBe(0);
});
