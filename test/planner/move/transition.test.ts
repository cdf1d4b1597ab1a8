import { describe, expect, test } from 'vitest';
import { type TransitionSettings, transition } from '../../../src/planner/move/transition.ts';
import type { VariantTransition, WantedReplicas } from '../../../src/planner/move/variant-transition.ts';

/** Demand 10; one replica of `a` carries 2 for 1, one of `b` carries 5 for 2. */
const [load, capacity, price] = [10, { a: 2, b: 5 }, { a: 1, b: 2 }] as const;
const carried = (mix: ReadonlyMap<string, number>): number => capacity.a * (mix.get('a') ?? 0) + capacity.b * (mix.get('b') ?? 0);
const cost = (mix: ReadonlyMap<string, number>) => price.a * (mix.get('a') ?? 0) + price.b * (mix.get('b') ?? 0);
const cheapest = (demand: number, from: (key: string) => number, to: (key: string) => number) => {
  let best: Map<string, number> | null = null;
  for (let a = from('a'); a <= to('a'); a += 1)
    for (let b = from('b'); b <= to('b'); b += 1) {
      const mix = new Map([
        ['a', a],
        ['b', b],
      ]);
      if (carried(mix) >= demand && (best === null || cost(mix) < cost(best))) best = mix;
    }
  return best;
};
/**
 * @param bare of the demand what is left with half of its headroom
 * @param gpus one per replica of either
 * @param roomy the demand with half of the headroom more
 */
const mixesFor = (demand: number, bare = demand, gpus = Number.POSITIVE_INFINITY, roomy = demand) => ({
  cheapestWithRoom: () =>
    cheapest(
      roomy,
      () => 0,
      () => 40,
    ),
  fits: (mix: ReadonlyMap<string, number>) => (mix.get('a') ?? 0) + (mix.get('b') ?? 0) <= gpus,
  carries: (mix: ReadonlyMap<string, number>, half = false) => carried(mix) >= (half ? bare : demand),
  cheapestWithin: (most: ReadonlyMap<string, number>) =>
    cheapest(
      demand,
      () => 0,
      (key) => most.get(key) ?? 0,
    ),
  cheapestAbove: (least: ReadonlyMap<string, number>) =>
    cheapest(
      demand,
      (key) => least.get(key) ?? 0,
      (key) => (least.has(key) ? 40 : 0),
    ),
});
const settings: TransitionSettings = { holdDownSeconds: 120, switchSavings: 0.05, growAtOnce: 3 };
const wantedAt = (at: number, replicas: number): WantedReplicas => ({ at, replicas });
/** Plans have been made for long, and wanted nothing of late. */
const step = (
  key: 'a' | 'b',
  askedReplicas: number,
  plannedReplicas: number,
  more: Partial<VariantTransition> = {},
): VariantTransition => ({
  key,
  price: price[key],
  plannedReplicas,
  askedReplicas,
  ready: askedReplicas,
  startupSeconds: 0,
  wanted: [wantedAt(0, 0)],
  ...more,
});
const run = (steps: readonly VariantTransition[], now = 1000, more: Partial<TransitionSettings> = {}, demand: number = load) =>
  Object.fromEntries(transition(steps, mixesFor(demand), now, { ...settings, ...more }).targets);

describe('up and down', () => {
  test('up at once', () => {
    expect(run([step('a', 2, 5)])).toEqual({ a: 5 });
  });

  test('down when the lower answer has lasted', () => {
    const falling = (since: number) => [step('a', 5, 3, { wanted: [wantedAt(since - 10, 5), wantedAt(since, 3)] })];
    expect(run(falling(990))).toEqual({ a: 5 });
    expect(run(falling(881))).toEqual({ a: 5 });
    expect(run(falling(880))).toEqual({ a: 3 });
  });

  test('what a plan wanted stands while no tick comes, and what is wanted after it has not lasted yet', () => {
    expect(run([step('a', 5, 3, { wanted: [wantedAt(600, 5), wantedAt(990, 3)] })])).toEqual({ a: 5 });
    expect(run([step('a', 5, 3, { wanted: [wantedAt(600, 5), wantedAt(870, 3), wantedAt(990, 3)] })])).toEqual({ a: 3 });
  });

  test('down to the most that was wanted meanwhile, not to the last', () => {
    expect(run([step('a', 9, 3, { wanted: [wantedAt(860, 9), wantedAt(870, 5), wantedAt(950, 6), wantedAt(990, 2)] })])).toEqual({
      a: 6,
    });
  });

  test('nothing falls before plans reach back so far', () => {
    expect(run([step('a', 5, 3, { wanted: [] })])).toEqual({ a: 5 });
    expect(run([step('a', 5, 3, { wanted: [wantedAt(881, 3)] })])).toEqual({ a: 5 });
    expect(run([step('a', 5, 3, { wanted: [wantedAt(880, 3)] })])).toEqual({ a: 3 });
  });

  test('what still starts is given up after half of that, where it was not missed before', () => {
    const starting = (since: number) => [step('a', 5, 2, { ready: 3, wanted: [wantedAt(since - 10, 5), wantedAt(since, 2)] })];
    const targets = (since: number, unmissed: number) =>
      Object.fromEntries(transition(starting(since), mixesFor(4), 1000, settings, undefined, { seen: null, unmissed }).targets);
    expect(targets(940, 2)).toEqual({ a: 3 });
    expect(targets(941, 2)).toEqual({ a: 5 });
    expect(targets(940, 1)).toEqual({ a: 5 });
  });

  test('without a hold-down time the plan is the target', () => {
    expect(run([step('a', 5, 3, { wanted: [wantedAt(990, 5)] })], 1000, { holdDownSeconds: 0 })).toEqual({ a: 3 });
  });

  test('a load that wobbles at a boundary changes nothing after the first rise', () => {
    let current = 5;
    let wanted: readonly WantedReplicas[] = [];
    const said = new Set<number>();
    for (let tick = 0; tick < 360; tick += 1) {
      const planned = tick % 7 < 3 ? 6 : 5;
      const { targets, wanted: next } = transition(
        [step('a', current, planned, { wanted })],
        mixesFor(2 * planned),
        1000 + 10 * tick,
        settings,
      );
      current = targets.get('a')!;
      wanted = next.get('a')!;
      said.add(current);
      expect(wanted.length).toBeLessThanOrEqual(14);
    }
    expect([...said]).toEqual([6]);
  });
});

describe('growth beyond three times', () => {
  test('waits for a second plan that wants it', () => {
    expect(run([step('a', 2, 20)], 1000, {}, 40)).toEqual({ a: 6 });
    expect(run([step('a', 6, 20, { wanted: [wantedAt(990, 20)] })], 1000, {}, 40)).toEqual({ a: 20 });
  });

  test('from zero is at once', () => {
    expect(run([step('a', 0, 20)], 1000, {}, 40)).toEqual({ a: 20 });
  });
});

describe('another mix', () => {
  test('that saves too little is not changed to', () => {
    // 5 a for 5; 2 b for 4 would save 20 %.
    expect(run([step('a', 5, 0), step('b', 0, 2)], 1000, { switchSavings: 0.25 })).toEqual({ a: 5, b: 0 });
  });

  test('that saves enough is built up first, and what it replaces stays until it is Ready', () => {
    const before = [wantedAt(870, 5)];
    expect(run([step('a', 5, 0, { wanted: before }), step('b', 0, 2)])).toEqual({ a: 5, b: 2 });
    expect(run([step('a', 5, 0), step('b', 2, 2, { ready: 1 })])).toEqual({ a: 5, b: 2 });
    expect(run([step('a', 5, 0), step('b', 2, 2, { ready: 2 })])).toEqual({ a: 0, b: 2 });
  });

  test('that saves enough only as long as nothing more comes is not changed to', () => {
    // 2 b carry 10 for 4; for 11 it takes 2 b and an a, as dear as 5 a.
    const steps = [step('a', 5, 0), step('b', 0, 2)];
    const targets = (roomy: number) =>
      Object.fromEntries(transition(steps, mixesFor(10, 10, Number.POSITIVE_INFINITY, roomy), 1000, settings).targets);
    expect(targets(11)).toEqual({ a: 5, b: 0 });
    expect(targets(10)).toEqual({ a: 5, b: 2 });
  });

  test('plain shrinking need not save much', () => {
    expect(run([step('a', 1, 0), step('b', 40, 39)], 1000, {}, 195)).toEqual({ a: 0, b: 39 });
  });

  test('a variant that shrinks by itself waits for none of its own pods', () => {
    expect(run([step('a', 9, 5, { ready: 1 })])).toEqual({ a: 5 });
    expect(run([step('a', 9, 5, { ready: 1 }), step('b', 0, 0)])).toEqual({ a: 5, b: 0 });
  });

  test('noise that half of the headroom takes adds nothing', () => {
    const grown = (bare: number) => Object.fromEntries(transition([step('a', 5, 6)], mixesFor(11, bare), 1000, settings).targets);
    expect(grown(10)).toEqual({ a: 5 });
    expect(grown(10.1)).toEqual({ a: 6 });
  });

  test('what has to be added is added to what there is, unless the plan saves enough', () => {
    // 10 a and 1 b cost 13 with the a that demand 27 takes more; the plan costs 46 % less.
    const steps = [step('a', 10, 1, { wanted: [wantedAt(870, 10)] }), step('b', 1, 3)];
    expect(run(steps, 1000, { switchSavings: 0.5 }, 27)).toEqual({ a: 11, b: 1 });
    expect(run(steps, 1000, { switchSavings: 0.45 }, 27)).toEqual({ a: 10, b: 3 });
  });

  test('when what there is does not suffice, the plan is the plan', () => {
    expect(run([step('a', 2, 0), step('b', 0, 2)])).toEqual({ a: 2, b: 2 });
  });

  test('never less Ready than the demand while something can be kept, whatever the order in which pods start', () => {
    let [a, b, ready] = [5, 0, 0];
    let wanted = new Map<string, readonly WantedReplicas[]>();
    for (let tick = 0; tick < 40; tick += 1) {
      const steps = [
        step('a', a, 0, { ready: a, wanted: wanted.get('a') ?? [] }),
        step('b', b, 2, { ready, wanted: wanted.get('b') ?? [] }),
      ];
      const next = transition(steps, mixesFor(load), 1000 + 10 * tick, settings);
      [a, b] = [next.targets.get('a')!, next.targets.get('b')!];
      wanted = new Map(next.wanted);
      if (tick === 20) ready = 1;
      if (tick === 30) ready = 2;
      expect(2 * a + 5 * Math.min(b, ready)).toBeGreaterThanOrEqual(load);
    }
    expect([a, b]).toEqual([0, 2]);
  });
});

describe('on common stock', () => {
  const whatever: TransitionSettings = { ...settings, switchSavings: 0 };
  const swap = (gpus: number, demand: number, a: Partial<VariantTransition> = {}, b: Partial<VariantTransition> = {}) => {
    const steps = [
      { ...step('a', 5, 0), ...a },
      { ...step('b', 0, 2), ...b },
    ];
    const { targets, blocked } = transition(steps, mixesFor(demand, demand, gpus), 1000, whatever);
    return { ...Object.fromEntries(targets), blocked };
  };

  test.each([
    { name: 'for both', gpus: 7, demand: 10, a: 5, b: 2, blocked: false },
    { name: 'for a part of what replaces it', gpus: 6, demand: 10, a: 5, b: 1, blocked: false },
    { name: 'for neither, and something to spare', gpus: 5, demand: 8, a: 4, b: 1, blocked: false },
    { name: 'for neither, and nothing to spare', gpus: 5, demand: 10, a: 5, b: 0, blocked: true },
  ])('stock $name', ({ gpus, demand, a, b, blocked }) => {
    expect(swap(gpus, demand)).toEqual({ a, b, blocked });
  });

  test('nothing grows beyond it while the hold-down time lasts; that is no blockade', () => {
    expect(swap(6, 10, { wanted: [] })).toEqual({ a: 5, b: 1, blocked: false });
    expect(swap(5, 10, { wanted: [] })).toEqual({ a: 5, b: 0, blocked: false });
  });

  test('what cannot be had elsewhere any more holds back no growth here', () => {
    // Both Nodes of `a` are lost; `b` has stock of its own.
    const mixes = { ...mixesFor(10), fits: (_mix: ReadonlyMap<string, number>, key: string) => key === 'b' };
    const steps = [step('a', 5, 0, { ready: 0, wanted: [] }), step('b', 0, 2)];
    expect(Object.fromEntries(transition(steps, mixes, 1000, settings).targets)).toEqual({ a: 5, b: 2 });
  });

  test('what is on its way is waited for, and is no blockade', () => {
    expect(swap(6, 10, {}, { askedReplicas: 1, ready: 0 })).toEqual({ a: 5, b: 1, blocked: false });
    expect(swap(6, 10, {}, { askedReplicas: 1, ready: 1 })).toEqual({ a: 3, b: 2, blocked: false });
  });

  test('what is not Ready is no spare to be counted on', () => {
    expect(swap(5, 10, { ready: 3 })).toEqual({ a: 5, b: 0, blocked: false });
    expect(swap(6, 8, { askedReplicas: 6, ready: 4 })).toEqual({ a: 4, b: 2, blocked: false });
  });

  test('each step fits and carries, until the swap is done', () => {
    let [a, b, ready] = [5, 0, 0];
    let wanted = new Map<string, readonly WantedReplicas[]>();
    for (let tick = 0; tick < 40; tick += 1) {
      const steps = [
        step('a', a, 0, { ready: a, wanted: wanted.get('a') ?? [] }),
        step('b', b, 2, { ready, wanted: wanted.get('b') ?? [] }),
      ];
      const next = transition(steps, mixesFor(8, 8, 5), 1000 + 10 * tick, whatever);
      ready = b;
      [a, b] = [next.targets.get('a')!, next.targets.get('b')!];
      wanted = new Map(next.wanted);
      expect(a + b).toBeLessThanOrEqual(5);
      expect(2 * a + 5 * Math.min(b, ready)).toBeGreaterThanOrEqual(8);
    }
    expect([a, b]).toEqual([0, 2]);
  });
});
