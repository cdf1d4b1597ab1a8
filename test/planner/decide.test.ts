import { describe, expect, test } from 'vitest';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import type { RouterKnowledge, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import { deployment, foundProfile } from '../helpers/deployments.ts';
import { busy, deployments, reading, run, steady, targets, times, workload } from '../helpers/planner.ts';
import { record } from '../helpers/records.ts';

describe('fresh', () => {
  test('the cheapest mix carries the arrivals, and the targets are its replicas', () => {
    expect(targets(steady)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    expect(steady.plan).toMatchObject({ status: 'optimal', cost: 2 });
    expect(steady.models).toMatchObject([{ name: 'm', state: 'fresh', arrivalRate: 3, dataAt: 2000 }]);
  });

  test('the label does nothing while there is traffic', () => {
    expect(targets(steady)['ns/h100']).toBe(0);
  });

  test('headroom, bounds of autoscalers and price annotations count', () => {
    const given = workload(2002, { m: busy(1410, 2000) });
    expect(targets(run(reading(2002, given), emptyMemory, { headroom: 0.5 }))).toEqual({ 'ns/h100': 0, 'ns/l40s': 3 });
    const bounds = new Map([['ns/l40s', { minReplicas: 0, maxReplicas: 1 }]]);
    expect(targets(run(reading(2002, given, { bounds })))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    const dear = [deployments[0]!, deployment('l40s', { gpu: 'L40S', price: 3 })];
    const priced = new Map(dear.map((one) => [`ns/${one.name}`, one]));
    expect(targets(run(reading(2002, given, { deployments: priced })))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('routers are told to share among what is Ready, though the plan would fill one type', () => {
    const given = workload(2002, { m: busy(1410, 2000) });
    const ready = new Map([
      ['ns/h100', 1],
      ['ns/l40s', 2],
    ]);
    const profiles = new Map([
      ['ns/h100', foundProfile('h100', 3)],
      ['ns/l40s', foundProfile('l40s', 1)],
    ]);
    const { routes } = run(reading(2002, given, { ready, profiles }), emptyMemory, { routingPlans: true });
    expect(routes).toMatchObject([{ model: 'm', routedFor: { 'ns/h100': 1, 'ns/l40s': 2 } }]);
    const { shares } = routes[0]!.classes[0]!;
    expect(shares['ns/h100']).toBeGreaterThan(0.5);
    expect(shares['ns/l40s']).toBeGreaterThan(0.3);
    const asleep = run(reading(2002, given, { ready: new Map() }), emptyMemory, { routingPlans: true });
    expect(asleep.routes).toMatchObject([{ routedFor: { 'ns/l40s': 2 }, classes: [{ shares: { 'ns/l40s': 1 } }] }]);
    expect(steady.routes).toEqual([]);
  });

  test('one interval alone makes no first plan; two do', () => {
    expect(targets(run(reading(2002, workload(2002, { m: busy(2000, 2000) }))))['ns/l40s']).toMatch(/^quiet: only one interval/);
    expect(targets(run(reading(2002, workload(2002, { m: busy(1990, 2000) }))))['ns/l40s']).toBe(2);
  });

  test('arrivals of unknown size hold what stands, and are not zero', () => {
    const unknown = workload(2002, { m: times(1980, 2000).map((time) => record(time, 120)) });
    expect(targets(run(reading(2002, unknown)))['ns/l40s']).toMatch(/^quiet: requests arrive, but none has ended/);
    expect(targets(run(reading(2002, unknown), steady.memory))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
  });

  test('requests under another name of the model are added', () => {
    const named = new Map([...reading(0, null).deployments].map(([key, one]) => [key, { ...one, aliases: ['adapter'] }]));
    const both = workload(2002, { m: busy(1410, 2000), adapter: busy(1410, 2000) });
    expect(run(reading(2002, both, { deployments: named })).models).toMatchObject([{ arrivalRate: 6 }]);
  });

  test('the router that its Deployments name is the model’s own; of two the one that knows less', () => {
    const named = (...routers: (RouterKnowledge | null)[]) => {
      const all = routers.map((routerKnowledge, index) => ({ ...deployments[index]!, routerKnowledge }));
      const given = reading(2002, workload(2002, { m: busy(1800, 1990) }), {
        deployments: new Map(all.map((one) => [`${one.namespace}/${one.name}`, one])),
      });
      return run(given).snapshot?.models[0]?.routing;
    };
    expect([named(null, null), named('load', null), named('none', 'input')]).toEqual([undefined, 'load', 'none']);
  });

  test('the snapshot solves again to the same plan', () => {
    expect(planOf(steady.snapshot as Snapshot)).toEqual(steady.plan);
  });
});

describe('one model in two namespaces', () => {
  const two = new Map(['a', 'b'].map((namespace) => [`${namespace}/l40s`, deployment('l40s', { gpu: 'L40S', namespace })]));
  const profiles = new Map([...two.keys()].map((key) => [key, foundProfile('l40s', 2)]));
  const given = workload(2002, { m: busy(1410, 2000) });

  test('arrivals are split by Ready replicas', () => {
    const split = run(
      reading(2002, given, {
        deployments: two,
        profiles,
        ready: new Map([
          ['a/l40s', 2],
          ['b/l40s', 1],
        ]),
      }),
    );
    expect(split.models.map(({ name, arrivalRate }) => [name, arrivalRate])).toEqual([
      ['m (a)', 2],
      ['m (b)', 1],
    ]);
    expect(targets(split)).toEqual({ 'a/l40s': 1, 'b/l40s': 1 });
  });

  test('evenly where nothing is Ready; as one where they are pooled', () => {
    expect(run(reading(2002, given, { deployments: two, profiles })).models.map(({ arrivalRate }) => arrivalRate)).toEqual([
      1.5, 1.5,
    ]);
    const pooled = run(reading(2002, given, { deployments: two, profiles }), emptyMemory, { poolNamespaces: true });
    expect(pooled.plan?.cost).toBe(2);
  });
});

test('what cannot be served is reported with the reason; what is beyond every SLO is served and reported', () => {
  const given = workload(2002, { m: busy(1410, 2000) });
  const capped = new Map(['ns/h100', 'ns/l40s'].map((key) => [key, { minReplicas: 0, maxReplicas: key === 'ns/h100' ? 0 : 1 }]));
  const short = run(reading(2002, given, { bounds: capped }));
  expect(short.models).toMatchObject([{ unserved: { maxReplicas: expect.closeTo(1, 6) }, beyondSlo: 0 }]);
  expect(targets(short)).toEqual({ 'ns/h100': 0, 'ns/l40s': 1 });
  const small = {
    ...foundProfile('h100', 8),
    profile: { ...foundProfile('h100', 8).profile, inputTokens: [64, 1024], throughput: [8, 0] },
  };
  const beyond = run(reading(2002, given, { profiles: new Map([['ns/h100', small]]) }));
  expect(beyond.models).toMatchObject([{ unserved: {}, beyondSlo: expect.closeTo(3, 9) }]);
  expect(targets(beyond)['ns/h100']).toBeGreaterThan(1);
});

test('a Deployment that is gone is forgotten, and starts anew when it is made again', () => {
  const one = new Map([['ns/h100', deployments[0]!]]);
  const without = run(reading(2012, workload(2012, { m: busy(1410, 2010) }), { deployments: one }), steady.memory);
  expect(without.memory.moved.decisions.has('ns/l40s')).toBe(false);
  expect(targets(without)).toEqual({ 'ns/h100': 1 });
});

test('what the planner remembered is not changed by the next tick', () => {
  const before = JSON.stringify([...steady.memory.moved.decisions]);
  run(reading(2012, workload(2012, { m: [] })), steady.memory);
  expect(JSON.stringify([...steady.memory.moved.decisions])).toBe(before);
});

test('models decided one after the other get the same targets as together', () => {
  const names = ['m', 'n'];
  const all = new Map(
    names.flatMap((model) =>
      deployments.map((one) => [`ns/${model}-${one.name}`, { ...one, name: `${model}-${one.name}`, model }] as const),
    ),
  );
  const profiles = new Map(
    names.flatMap(
      (model) =>
        [
          [`ns/${model}-h100`, foundProfile(`${model}-h100`, 8)],
          [`ns/${model}-l40s`, foundProfile(`${model}-l40s`, 2)],
        ] as const,
    ),
  );
  const given = reading(2002, workload(2002, { m: busy(1410, 2000), n: busy(1410, 2000) }), {
    deployments: all,
    profiles,
    ready: new Map([...all.keys()].map((key) => [key, 100])),
  });
  const [together, alone] = [run(given), run(given, emptyMemory, { keepSnapshot: false })];
  expect(targets(together)).toEqual({ 'ns/m-h100': 0, 'ns/m-l40s': 2, 'ns/n-h100': 0, 'ns/n-l40s': 2 });
  expect(targets(alone)).toEqual(targets(together));
  expect([alone.plan?.cost, alone.plan?.status, alone.snapshot]).toEqual([together.plan?.cost, together.plan?.status, null]);
});
