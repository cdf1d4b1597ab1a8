import { describe, expect, test } from 'vitest';
import { type Pace, paceOfBehavior, paceOfPodAutoscaler } from '../../../src/cluster/pace.ts';
import { type Following, followingAfter, isUnfollowed, withinTolerance } from '../../../src/planner/believe/target-following.ts';

const settings = { followAfterSeconds: 120 };
const exact: Pace = { up: { tolerance: 0, waitSeconds: 0 }, down: { tolerance: 0, waitSeconds: 300 } };
/** When, if ever, a target counts as not followed; `replicas` is asked every 10 s for up to an hour. */
const unfollowedAfter = (
  target: number | ((now: number) => number),
  replicas: (now: number) => number,
  pace: Pace | null = exact,
): number | null => {
  let following: Following | null = null;
  for (let now = 0; now <= 3600; now += 10) {
    const wanted = typeof target === 'number' ? target : target(now);
    following = followingAfter(following, replicas(now), wanted, pace, settings, now);
    if (isUnfollowed(following)) return now;
  }
  return null;
};

const changed = (spec: string): Pace => ({ ...exact, spec });
const unfollowed: Following = { replicas: 0, rising: true, since: 0, unfollowedUntil: 430, spec: 'a' };

describe('a target', () => {
  test.each([
    { name: 'above, unmoved', target: 5, replicas: () => 0, after: 130 },
    { name: 'above, no autoscaler', target: 5, replicas: () => 0, pace: null, after: 130 },
    { name: 'reached', target: 5, replicas: () => 5, after: null },
    { name: 'reached late', target: 5, replicas: (now: number) => (now < 120 ? 0 : 5), after: null },
    { name: 'approached slowly', target: 50, replicas: (now: number) => Math.floor(now / 100), after: null },
    { name: 'approached, then no more', target: 5, replicas: (now: number) => Math.min(3, now / 100), after: 430 },
    {
      name: 'below, within the stabilisation window',
      target: 3,
      replicas: (now: number) => (now < 300 ? 5 : 3),
      after: null,
    },
    { name: 'below, unmoved', target: 3, replicas: () => 5, after: 430 },
    { name: 'below, no autoscaler', target: 3, replicas: () => 5, pace: null, after: 130 },
    { name: 'below, of a PodAutoscaler', target: 3, replicas: () => 5, pace: paceOfPodAutoscaler, after: 1930 },
    { name: 'that goes on rising', target: (now: number) => 5 + now / 10, replicas: () => 2, after: 130 },
    {
      name: 'that falls for less than the window, again and again',
      target: (now: number) => (now % 300 < 60 ? 5 : 3),
      replicas: () => 5,
      after: null,
    },
    {
      name: 'away from which another autoscaler moves',
      target: 9,
      replicas: (now: number) => 5 - now / 100,
      after: 130,
    },
    { name: 'within the tolerance', target: 21, replicas: () => 20, pace: paceOfBehavior(undefined), after: null },
    { name: 'beyond the tolerance', target: 23, replicas: () => 20, pace: paceOfBehavior(undefined), after: 130 },
  ])('$name', ({ target, replicas, pace = exact, after }) => {
    expect(unfollowedAfter(target, replicas, pace)).toBe(after);
  });

  test('that nobody published is not judged', () => {
    expect(followingAfter(null, 3, null, exact, settings, 0)).toBeNull();
  });

  test('that is not followed is tried again after five minutes', () => {
    expect(isUnfollowed(followingAfter(unfollowed, 0, 5, changed('a'), settings, 429))).toBe(true);
    expect(followingAfter(unfollowed, 0, 5, changed('a'), settings, 430)).toBeNull();
  });

  test.each([
    { name: 'its autoscaler changes', replicas: 0, target: 5, spec: 'b' },
    { name: 'spec.replicas moves toward it', replicas: 2, target: 5, spec: 'a' },
    { name: 'it is reached', replicas: 5, target: 5, spec: 'a' },
  ])('that is not followed is tried again at once when $name', ({ replicas, target, spec }) => {
    expect(followingAfter(unfollowed, replicas, target, changed(spec), settings, 200)).toBeNull();
  });

  test('that is not followed is not tried again because spec.replicas moves away from it', () => {
    const above: Following = { replicas: 9, rising: false, since: 0, unfollowedUntil: 430, spec: 'a' };
    expect(isUnfollowed(followingAfter(above, 40, 8, changed('a'), settings, 200))).toBe(true);
  });
});

test.each([
  { name: 'no autoscaler', replicas: 20, target: 21, pace: null, held: false },
  { name: 'within 10 %', replicas: 20, target: 22, pace: paceOfBehavior(undefined), held: true },
  { name: 'beyond', replicas: 20, target: 23, pace: paceOfBehavior(undefined), held: false },
  {
    name: 'the tolerance of its direction',
    replicas: 20,
    target: 19,
    pace: paceOfBehavior({ scaleDown: { tolerance: '0' } }),
    held: false,
  },
  { name: 'reached', replicas: 20, target: 20, pace: paceOfBehavior(undefined), held: false },
  { name: 'from zero', replicas: 0, target: 1, pace: paceOfBehavior(undefined), held: false },
])('held by tolerance: $name', ({ replicas, target, pace, held }) => {
  expect(withinTolerance(replicas, target, pace)).toBe(held);
});
