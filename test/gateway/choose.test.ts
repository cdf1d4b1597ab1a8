import { describe, expect, test } from 'vitest';
import { chooser } from '../../src/gateway/choose.ts';
import { answered, createFleet, failed, type Pod } from '../../src/gateway/fleet.ts';
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
  const fleet = createFleet();
  const set = (counts: Readonly<Record<string, number>>) =>
    fleet.update(
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
    choose({ variants: fleet.variants('m')!, plan: given, inputTokens, tried: new Set(tried), now });
  const podOf = (choice: ReturnType<typeof pick>): Pod => {
    if (typeof choice === 'string') throw new Error(choice);
    return choice.pod;
  };
  const nameOf = (choice: ReturnType<typeof pick>) =>
    typeof choice === 'string' ? choice : `${choice.why} ${choice.pod.variant}`;
  return { fleet, set, pick, podOf, nameOf };
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
    first.work += 100;
    const second = podOf(pick(1));
    expect(second).not.toBe(first);
    second.work += 200;
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
  const { fleet, pick, nameOf } = world();
  for (const [name, pods] of fleet.variants('m')!) for (const pod of pods) pod.work = name === 'ns/spare' ? 1 : 2;
  expect(nameOf(pick(1, null))).toBe('no plan ns/spare');
});

test('nothing is Ready, and everything was tried', () => {
  const { fleet, pick, set } = world();
  const all = [...fleet.variants('m')!.values()].flat();
  expect(pick(1, plan(), all)).toBe('tried');
  set({ 'ns/small': 0 });
  expect(pick(1)).toBe('none');
});

test('a pod that fails rests, longer each time, and is tried where all rest', () => {
  const { fleet, pick, podOf } = world({ 'ns/small': 2 });
  const [a, b] = fleet.variants('m')!.get('ns/small')! as readonly [Pod, Pod];
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
  const { fleet, set } = world();
  const before = fleet.variants('m')!.get('ns/small')![0]!;
  before.work = 7;
  set({ 'ns/small': 1, 'ns/new': 1 });
  expect(fleet.variants('m')!.get('ns/small')).toEqual([before]);
  expect(fleet.variants('m')!.get('ns/small')![0]).toBe(before);
  expect(fleet.models()).toEqual(['m']);
  expect(fleet.variants('x')).toBeUndefined();
});
