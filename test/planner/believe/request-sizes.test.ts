import { describe, expect, test } from 'vitest';
import { type RequestSizes, sizesAfter } from '../../../src/planner/believe/request-sizes.ts';
import { record } from '../../helpers/records.ts';

/** Keys of records: 256 and 4,096 tokens of a prompt. */
const [short, long] = ['80:60', '120:60'];
const window = 240;
const longShare = (sizes: RequestSizes | undefined): number =>
  sizes?.shape.filter(({ inputTokens }) => inputTokens > 1000).reduce((sum, { share }) => sum + share, 0) ?? Number.NaN;

describe('the sizes that a model is planned by', () => {
  const busy = sizesAfter(undefined, [record(1000, 200, { [short]: 150, [long]: 50 })], window);

  test('are those of the window where enough requests ended', () => {
    expect(longShare(busy)).toBe(0.25);
    expect(longShare(sizesAfter(busy, [record(2000, 200, { [short]: 50, [long]: 150 })], window))).toBe(0.75);
  });

  test('stay when nothing arrives any more, and only the longest still run', () => {
    expect(longShare(sizesAfter(busy, [record(1990, 0, {}), record(2000, 0, { [long]: 1 })], window))).toBeCloseTo(0.25, 1);
  });

  test('are those known before, beside the few that ended first after a pause', () => {
    const first = sizesAfter(busy, [record(9000, 100, { [short]: 10 })], window);
    expect(longShare(first)).toBeCloseTo(0.9 * 0.25, 9);
  });

  test('are new ones after a hundred requests, however slowly they come', () => {
    const sizes = Array.from({ length: 10 }).reduce<RequestSizes | undefined>(
      (before, _, index) => sizesAfter(before, [record(2000 + 300 * index, 10, { [long]: 10 })], window),
      busy,
    );
    expect(longShare(sizes)).toBe(1);
  });

  test('change with each request once, however often they are looked at', () => {
    const intervals = [record(9000, 100, { [short]: 10 })];
    const first = sizesAfter(busy, intervals, window);
    expect(sizesAfter(first, intervals, window)).toEqual(first);
  });

  test('are those of the first few where nothing was known before, and nothing where none has ended', () => {
    expect(longShare(sizesAfter(undefined, [record(1000, 5, { [long]: 1 })], window))).toBe(1);
    expect(sizesAfter(undefined, [record(1000, 5)], window)).toBeUndefined();
    expect(sizesAfter(busy, [record(9000, 5)], window)).toBe(busy);
  });
});
