import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooser, weightedTurns } from '../../src/gateway/choose-pod.ts';
import { answered, createModelPods, failed, type Pod } from '../../src/gateway/model-pods.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';

const plan = (more: Partial<RoutingPlan> = {}): RoutingPlan => ({
  version: 1,
  model: 'm',
  created: 0,
  expires: 1e12,
  classes: [
    { fromTokens: 0, toTokens: 512, shares: { 'ns/small': 1 } },
    { fromTokens: 512, toTokens: null, shares: { 'ns/big': 0.75, 'ns/small': 0.25 } },
  ],
  ready: {},
  planned: {},
  ...more,
});
const world = (pods: Readonly<Record<string, number>> = { 'ns/small': 2, 'ns/big': 1, 'ns/spare': 1 }) => {
  const modelPods = createModelPods();
  const set = (counts: Readonly<Record<string, number>>) =>
    modelPods.update(
      new Map([
        [
          'm',
          new Map(
            Object.entries(counts).map(([name, count]) => [
              name,
              Array.from({ length: count }, (_, index) => `http://${name.slice(3)}-${index}`),
            ]),
          ),
        ],
      ]),
    );
  set(pods);
  const choose = chooser(1.5);
  const pick = (inputTokens: number, given: RoutingPlan | null = plan(), tried: readonly Pod[] = [], now = 0) =>
    choose({ variants: modelPods.variants('m')!, plan: given, inputTokens, tried: new Set(tried), now });
  const podOf = (choice: ReturnType<typeof pick>): Pod => {
    if (typeof choice === 'string') throw new Error(choice);
    return choice.pod;
  };
  const nameOf = (choice: ReturnType<typeof pick>) =>
    typeof choice === 'string' ? choice : `${choice.why} ${choice.pod.variant}`;
  return { modelPods, set, pick, podOf, nameOf };
};

describe('by the plan', () => {
  test('the size decides the class, and the class the variant in turns', () => {
    const { pick, nameOf } = world();
    expect([1, 511].map((tokens) => nameOf(pick(tokens)))).toEqual(['plan ns/small', 'plan ns/small']);
    const large = Array.from({ length: 8 }, () => nameOf(pick(512)));
    expect(large.filter((name) => name === 'plan ns/big')).toHaveLength(6);
    expect(large.filter((name) => name === 'plan ns/small')).toHaveLength(2);
  });

  test('in the variant the pod with least work', () => {
    const { pick, podOf } = world();
    const first = podOf(pick(1));
    first.outstandingTokens += 100;
    const second = podOf(pick(1));
    expect(second).not.toBe(first);
    second.outstandingTokens += 200;
    expect(podOf(pick(1))).toBe(first);
  });

  test('idle pods take turns', () => {
    const { pick, podOf } = world();
    const given = Array.from({ length: 4 }, () => {
      const pod = podOf(pick(1));
      pod.given += 1;
      return pod.origin;
    });
    expect(new Set(given)).toHaveProperty('size', 2);
  });

  test('a variant holds 1.5 times what its profile was measured at; then another, then nobody', () => {
    const { pick, podOf, nameOf } = world();
    const limited = plan({ concurrency: { 'ns/small': 2, 'ns/big': 1, 'ns/spare': 1 } });
    const names = Array.from({ length: 12 }, () => {
      const choice = pick(1, limited);
      if (typeof choice !== 'string') podOf(choice).requests += 1;
      return nameOf(choice);
    });
    expect(names.slice(0, 6)).toEqual(Array(6).fill('plan ns/small'));
    expect(new Set(names.slice(6, 10))).toEqual(new Set(['fallback ns/big', 'fallback ns/spare']));
    expect(names.slice(10)).toEqual(['full', 'full']);
  });

  test('without a pod of its own the class goes to the others', () => {
    const { pick, nameOf, set } = world();
    set({ 'ns/small': 0, 'ns/big': 1 });
    expect(nameOf(pick(1))).toBe('fallback ns/big');
  });
});

test('without a plan the least outstanding work decides', () => {
  const { modelPods, pick, nameOf } = world();
  for (const [name, pods] of modelPods.variants('m')!)
    for (const pod of pods) pod.outstandingTokens = name === 'ns/spare' ? 1 : 2;
  expect(nameOf(pick(1, null))).toBe('no plan ns/spare');
});

test('nothing is Ready, and everything was tried', () => {
  const { modelPods, pick, set } = world();
  const all = [...modelPods.variants('m')!.values()].flat();
  expect(pick(1, plan(), all)).toBe('tried');
  set({ 'ns/small': 0 });
  expect(pick(1)).toBe('none');
});

test('a pod that fails rests, longer each time, and is tried where all rest', () => {
  const { modelPods, pick, podOf } = world({ 'ns/small': 2 });
  const [a, b] = modelPods.variants('m')!.get('ns/small')! as readonly [Pod, Pod];
  failed(a, 10);
  expect(podOf(pick(1, plan(), [], 10.4))).toBe(b);
  expect(a.restsUntil).toBe(10.5);
  failed(a, 11);
  expect(a.restsUntil).toBe(12);
  for (let time = 0; time < 20; time += 1) failed(a, 100);
  expect(a.restsUntil).toBe(115);
  failed(b, 100);
  expect(typeof pick(1, plan(), [], 100)).toBe('object');
  answered(a);
  expect(podOf(pick(1, plan(), [], 100))).toBe(a);
});

test('a pod that stays keeps what is known of it', () => {
  const { modelPods, set } = world();
  const before = modelPods.variants('m')!.get('ns/small')![0]!;
  before.outstandingTokens = 7;
  set({ 'ns/small': 1, 'ns/new': 1 });
  expect(modelPods.variants('m')!.get('ns/small')).toEqual([before]);
  expect(modelPods.variants('m')!.get('ns/small')![0]).toBe(before);
  expect(modelPods.models()).toEqual(['m']);
  expect(modelPods.variants('x')).toBeUndefined();
});

describe('turns by weight', () => {
  test('each gets its share, spread out', () => {
    const turns = weightedTurns();
    expect(Array.from({ length: 7 }, () => turns({ a: 5, b: 1, c: 1 })).join('')).toBe('aabacaa');
  });

  test('over any stretch nobody is more than one turn per name from its share', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }), (shares) => {
        const weights = Object.fromEntries(shares.map((share, index) => [`v${index}`, share]));
        const sum = shares.reduce((total, share) => total + share, 0);
        const turns = weightedTurns();
        const counts = new Map<string, number>();
        for (let turn = 1; turn <= 200; turn += 1) {
          const name = turns(weights)!;
          counts.set(name, (counts.get(name) ?? 0) + 1);
          for (const [one, weight] of Object.entries(weights))
            expect(Math.abs((counts.get(one) ?? 0) - (turn * weight) / sum)).toBeLessThan(shares.length);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('who was away has nothing saved up', () => {
    const turns = weightedTurns();
    for (let turn = 0; turn < 10; turn += 1) turns({ a: 1, b: 1 });
    for (let turn = 0; turn < 10; turn += 1) expect(turns({ a: 1, c: 0.001 })).toBe('a');
    const next = Array.from({ length: 4 }, () => turns({ a: 1, b: 1 }));
    expect(next.filter((name) => name === 'b')).toHaveLength(2);
  });

  test('nobody, and one alone', () => {
    expect(weightedTurns()({})).toBeNull();
    expect(weightedTurns()({ a: 0.3 })).toBe('a');
  });
});
