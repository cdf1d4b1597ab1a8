import { describe, expect, test } from 'vitest';
import { type Forgone, mixWorthMovingTo } from '../../../src/planner/move/mix-worth-moving-to.ts';
import type { Mixes, VariantTransition } from '../../../src/planner/move/variant-transition.ts';

/** One `a` at 6 carries what two `b` at 1.5 carry. */
const price = { a: 6, b: 1.5 };
type Mix = Readonly<Partial<Record<'a' | 'b', number>>>;
const mapOf = (mix: Mix) => new Map(Object.entries({ a: 0, b: 0, ...mix }));
const step = (key: 'a' | 'b', askedReplicas: number, plannedReplicas: number, startupSeconds: number): VariantTransition => ({
  ...{ key, price: price[key], askedReplicas, plannedReplicas, ready: askedReplicas, wanted: [], startupSeconds },
});
const mixes = (more: Partial<Record<'within' | 'above' | 'cheapestWithRoom', Mix | null>>): Mixes => {
  const answer = (mix: Mix | null | undefined) => (mix == null ? null : mapOf(mix));
  return {
    carries: () => false,
    fits: () => true,
    cheapestWithin: () => answer(more.within),
    cheapestAbove: () => answer(more.above),
    cheapestWithRoom: () => answer(more.cheapestWithRoom),
  };
};
/** From one `a`, which suffices, to two `b`: they save 3 an hour, and cost 3 an hour for their startup. */
const swap = (startupSeconds: number, now: number, before?: Forgone, planned: Mix = { b: 2 }, most = 0.1) => {
  const steps = [step('a', 1, planned.a ?? 0, startupSeconds), step('b', 0, planned.b ?? 0, startupSeconds)];
  const given = mixes({ within: { a: 1 }, cheapestWithRoom: { b: 2 } });
  const { mix, forgone } = mixWorthMovingTo(steps, given, most, before, now);
  return { mix: Object.fromEntries(mix), forgone };
};
const [stays, moves] = [
  { a: 1, b: 0 },
  { a: 0, b: 2 },
];

describe('another mix', () => {
  test('is moved to once as much was let go as the change costs: here after its startup time', () => {
    let forgoneSoFar: Forgone | undefined;
    const moved: number[] = [];
    for (let now = 0; now <= 400; now += 10) {
      const { mix, forgone } = swap(200, now, forgoneSoFar);
      forgoneSoFar = forgone;
      if (mix['b'] === 2) moved.push(now);
    }
    // And that is paid: the next change has to earn its own.
    expect(moved).toEqual([200, 400]);
  });

  test('is moved to at once where replicas start at once', () => {
    expect(swap(0, 0)).toEqual({ mix: moves, forgone: { money: 0, at: 0 } });
  });

  test('that saves too little is never moved to, though what is let go is counted', () => {
    const before = { money: 100, at: 0 };
    expect(swap(200, 10, before, { b: 2 }, 0.6)).toEqual({ mix: stays, forgone: { money: 100 + 30 / 3600, at: 10 } });
  });

  test('has saved for no more than a minute between two ticks', () => {
    const { forgone } = swap(200, 5000, { money: 0, at: 0 });
    expect(forgone).toEqual({ money: 180 / 3600, at: 5000 });
  });

  test('is half forgotten in an hour in which what runs is the cheapest', () => {
    const { mix, forgone } = swap(200, 3600, { money: 0.1, at: 0 }, { a: 1 });
    expect(mix).toEqual(stays);
    expect(forgone).toEqual({ money: 0.05, at: 3600 });
  });

  test('costs only what it adds beyond what has to be added anyway', () => {
    // One more `a` has to be added, or three `b` in place of all: 12 against 4.5 an hour, and to start 6 against 4.5.
    const steps = [step('a', 1, 0, 600), step('b', 0, 3, 600)];
    const { mix } = mixWorthMovingTo(steps, mixes({ above: { a: 2 } }), 0.1, undefined, 0);
    expect(Object.fromEntries(mix)).toEqual({ a: 0, b: 3 });
  });

  test('is followed where nothing that runs can be added to', () => {
    const steps = [step('a', 1, 0, 600), step('b', 0, 3, 600)];
    expect(Object.fromEntries(mixWorthMovingTo(steps, mixes({}), 0.1, undefined, 0).mix)).toEqual({ a: 0, b: 3 });
  });
});
