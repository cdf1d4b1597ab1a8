import { describe, expect, test } from 'vitest';
import { mixesOf } from '../../../src/planner/move/what-if-mixes.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';

/** 10 req/s, a quarter of headroom among them; L40S serves 1 for 1, H100 serves 5 for 8. */
const mixes = (l40s: object = {}, limits: object = {}) => {
  const snapshot = snapshotOf({
    models: [
      {
        name: 'm',
        demand: [{ inputTokens: 1024, outputTokens: 128, arrivalRate: 10 }],
        variants: [
          { name: 'ns/l40s', gpu: 'L40S', price: 1, throughput: [1], ...l40s },
          { name: 'ns/h100', gpu: 'H100', price: 8, throughput: [5] },
        ],
      },
    ],
    ...limits,
  });
  return mixesOf(snapshot.models[0]!, snapshot, planOf, { headroom: 0.25, noise: 0.25 });
};
const mix = (l40s: number, h100: number) => new Map(Object.entries({ 'ns/l40s': l40s, 'ns/h100': h100 }));

describe('whether a mix carries the demand', () => {
  test('with all of its headroom', () => {
    expect(mixes().carries(mix(10, 0))).toBe(true);
    expect(mixes().carries(mix(9, 0))).toBe(false);
    expect(mixes().carries(mix(0, 2))).toBe(true);
  });

  test('with half of it, where that is what is asked', () => {
    expect(mixes().carries(mix(9, 0), true)).toBe(true);
    expect(mixes().carries(mix(8, 0), true)).toBe(false);
  });

  test('a variant that it does not name has none', () => {
    expect(mixes().carries(new Map([['ns/h100', 2]]))).toBe(true);
    expect(mixes().carries(new Map([['ns/h100', 1]]))).toBe(false);
  });

  test('what it has beyond a bound is not there; stock and budget are not asked, as it is there', () => {
    expect(mixes({ maxReplicas: 5 }).carries(mix(10, 0))).toBe(false);
    expect(mixes({}, { stock: { L40S: 3 }, budget: 5 }).carries(mix(10, 0))).toBe(true);
  });
});

describe('the cheapest part of a mix', () => {
  test('is what the demand takes of it', () => {
    expect(mixes().cheapestWithin(mix(20, 20))).toEqual(mix(10, 0));
    expect(mixes().cheapestWithin(mix(7, 3))).toEqual(mix(5, 1));
  });

  test('there is none where it does not carry the demand, or is below a minimum', () => {
    expect(mixes().cheapestWithin(mix(4, 1))).toBeNull();
    expect(mixes({ minReplicas: 2 }).cheapestWithin(mix(1, 2))).toBeNull();
  });
});

describe('the cheapest mix that has another one in it', () => {
  test('keeps all of that', () => {
    expect(mixes().cheapestAbove(mix(0, 1))).toEqual(mix(5, 1));
  });

  test('within stock and bounds, but whatever is left of a budget', () => {
    expect(mixes({}, { stock: { L40S: 3 } }).cheapestAbove(mix(0, 1))).toEqual(mix(0, 2));
    expect(mixes({}, { budget: 5 }).cheapestAbove(mix(0, 1))).toEqual(mix(5, 1));
    expect(mixes({ maxReplicas: 2 }).cheapestAbove(mix(3, 0))).toBeNull();
  });
});

test('the cheapest mix with room has room for what noise may bring', () => {
  expect(mixes().cheapestWithRoom()).toEqual(mix(12, 0));
  expect(mixes({}, { stock: { L40S: 10, H100: 0 } }).cheapestWithRoom()).toBeNull();
});
