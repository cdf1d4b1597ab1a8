import { describe, expect, test } from 'vitest';
import { givesUp, nothingUnwanted, type UnwantedStarts, unwantedStartsAfter } from '../../../src/planner/move/unwanted-starts.ts';

const steps = [{ key: 'a', price: 2, plannedReplicas: 2, askedReplicas: 5, ready: 2, startupSeconds: 100, wanted: [] }];
const of = (replicas: number) => new Map([['a', replicas]]);
/** Plans want so many; five are asked for after the hold-down, of which as many as `startsGivenUp` are more than start. */
const look = (before: UnwantedStarts, now: number, wants: number, startsGivenUp: number) =>
  unwantedStartsAfter(before, { steps, wants: of(wants), afterHoldDown: of(5), startsGivenUp: of(startsGivenUp), now });
/** Replicas start in vain at a time, and nothing is wanted any more for longer than four startups. */
const inVain = (before: UnwantedStarts, at: number) => look(look(before, at, 2, 2), at + 401, 2, 5);

describe('replicas that start and are not wanted any more are given up', () => {
  test('where they were not missed twice in a row', () => {
    const once = inVain(nothingUnwanted, 1000);
    const twice = inVain(once, 2000);
    expect([nothingUnwanted, once, twice].map(givesUp)).toEqual([false, false, true]);
  });

  test('not any more once they were missed', () => {
    const twice = inVain(inVain(nothingUnwanted, 1000), 2000);
    const missed = look(look(twice, 3000, 2, 2), 3399, 3, 5);
    expect([missed.unmissed, givesUp(missed)]).toEqual([0, false]);
  });

  test('nothing is learned of what is wanted later than four startups', () => {
    const late = look(look(nothingUnwanted, 1000, 2, 2), 1401, 5, 5);
    expect(late.unmissed).toBe(1);
  });

  test('they count once, from when they were seen first', () => {
    const seen = look(look(nothingUnwanted, 1000, 2, 2), 1060, 2, 2);
    expect(seen).toEqual({ seen: { at: 1000, cost: 4 }, unmissed: 0 });
    expect(look(seen, 1060, 2, 2)).toEqual(seen);
  });
});
