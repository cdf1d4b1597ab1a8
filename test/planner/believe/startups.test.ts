import { describe, expect, test } from 'vitest';
import {
  longestStartup,
  noStartups,
  patienceSeconds,
  type ReplicaPod,
  type Startups,
  startupSeconds,
  startupsAfter,
} from '../../../src/planner/believe/startups.ts';

const pod = (name: string, more: Partial<ReplicaPod> = {}): ReplicaPod => ({
  ...{ name, createdAt: 1000, ready: false, readinessAt: null, placedAt: null, unschedulable: false },
  ...more,
});
const ready = (name: string, readinessAt: number, createdAt = 1000) => pod(name, { ready: true, readinessAt, createdAt });
const nobody = new Set<string>();
/** Looks at one list of pods after the other, 10 s apart. */
const look = (...looks: readonly (readonly ReplicaPod[])[]): Startups =>
  looks.reduce((seen, pods, index) => startupsAfter(seen, pods, nobody, 1000 + 10 * index), noStartups);

describe('learning', () => {
  test('from creation to Ready, of pods that appear while one looks', () => {
    expect(look([], [pod('a')], [pod('a')], [ready('a', 1028)]).seconds).toEqual([28]);
  });

  test('of one that is Ready when it is first seen, and once only', () => {
    expect(look([], [ready('a', 1004)], [ready('a', 1004)]).seconds).toEqual([4]);
  });

  test('not of pods that were there before: when they were Ready for the first time is not known', () => {
    expect(look([ready('a', 5000), pod('b')], [ready('a', 5000), ready('b', 1012)]).seconds).toEqual([]);
  });

  test('not of one that was Ready, ceased to be, and is again', () => {
    const seen = look([], [ready('a', 1004)], [pod('a', { readinessAt: 1015 })], [ready('a', 1025)]);
    expect(seen.seconds).toEqual([4]);
  });

  test('not of one that waited for a place until it counted as not coming: that is no startup time', () => {
    const waiting = pod('a', { unschedulable: true });
    const before = startupsAfter(startupsAfter(noStartups, [], nobody, 1000), [waiting], nobody, 1010);
    const late = startupsAfter(before, [waiting], new Set(['a']), 1700);
    expect(startupsAfter(late, [ready('a', 4000)], nobody, 4000).seconds).toEqual([]);
    // A slow start is one.
    const slow = startupsAfter(before, [pod('a', { placedAt: 1100 })], new Set(['a']), 1800);
    expect(startupsAfter(slow, [ready('a', 1900)], nobody, 1900).seconds).toEqual([900]);
  });

  test('the last twenty', () => {
    let seen = startupsAfter(noStartups, [], nobody, 0);
    for (let at = 1; at <= 25; at += 1) seen = startupsAfter(seen, [ready(`p${at}`, 1000 + at)], nobody, 1000 + at);
    expect(seen.seconds).toEqual(Array.from({ length: 20 }, (_, index) => index + 6));
  });

  test('nothing is mutated', () => {
    const before: Startups = Object.freeze({
      seconds: Object.freeze([1]),
      startingPods: new Set<string>(),
      seen: new Set<string>(),
    });
    expect(startupsAfter(before, [ready('a', 1009)], nobody, 1010).seconds).toEqual([1, 9]);
    expect(before).toEqual({ seconds: [1], startingPods: new Set(), seen: new Set() });
  });
});

test.each([
  { name: 'nothing seen', seconds: [], startup: 600, patience: 600 },
  { name: 'too little seen', seconds: [30, 40], startup: 600, patience: 600 },
  { name: 'three: the longest', seconds: [40, 20, 30], startup: 40, patience: 60 },
  { name: 'ten: the ninth', seconds: [9, 1, 8, 2, 7, 3, 6, 4, 5, 900], startup: 9, patience: 30 },
  { name: 'ten, and long', seconds: [90, 10, 80, 20, 70, 30, 60, 40, 50, 900], startup: 90, patience: 135 },
])('startup time: $name', ({ seconds, startup, patience }) => {
  expect(startupSeconds({ seconds }, 600)).toBe(startup);
  expect(patienceSeconds({ seconds }, 600)).toBe(patience);
});

test('demand is looked for as far ahead as the slowest start that is learned', () => {
  expect(longestStartup([], 600)).toBe(600);
  expect(longestStartup([{ seconds: [10, 20] }], 600)).toBe(600);
  expect(longestStartup([{ seconds: [10, 20] }, { seconds: [40, 50, 60] }, { seconds: [5, 5, 5] }], 600)).toBe(60);
});
