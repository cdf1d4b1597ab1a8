import { describe, expect, test } from 'vitest';
import { type Pace, paceOfBehavior } from '../../src/cluster/pace.ts';
import type { Supply } from '../../src/cluster/stock.ts';
import type { ModelDeployment } from '../../src/cluster/variant.ts';
import { noStartups, type ReplicaPod } from '../../src/planner/believe/startups.ts';
import type { MoveMemory } from '../../src/planner/move/move.ts';
import { decide, type PlannerSettings, type Reading } from '../../src/planner/pipeline.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../src/planner/plan/snapshot-document.ts';
import { emptyMemory, type Memory } from '../../src/planner/publish/tick-outcome.ts';
import type { Routing, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import type { Interval, Workload } from '../../src/workload/workload.ts';
import { deployment, foundProfile } from '../helpers/deployments.ts';
import { nothing, record } from '../helpers/records.ts';

const settings: PlannerSettings = {
  windowSeconds: 60,
  shapeWindowSeconds: 240,
  startupSeconds: 600,
  backlogSeconds: 120,
  headroom: 0,
  holdDownSeconds: 0,
  switchSavings: 0,
  // In most of these tests replicas stay as they are.
  followAfterSeconds: 1e9,
  growAtOnce: 3,
  idleAfterSeconds: 240,
  settleSeconds: 2,
  staleAfterSeconds: 300,
  trustSilence: false,
  poolNamespaces: false,
  routing: 'size',
  budget: null,
  prices: { H100: 4, L40S: 1 },
  nodeLimit: 100_000,
  keepSnapshot: true,
};
const times = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, (to - from) / 10 + 1) }, (_, index) => from + 10 * index);
/** 30 arrivals and completions of 1024 in, 64 out in each interval: 3 req/s. */
const busy = (from: number, to: number): Interval[] => times(from, to).map((time) => record(time, 30, { '100:60': 30 }));

const workload = (now: number, names: Readonly<Record<string, readonly Interval[]>>, more: Partial<Workload> = {}): Workload => ({
  now,
  names: new Map(
    Object.entries(names).map(([name, intervals]) => [
      name,
      {
        intervals,
        intervalSeconds: 10,
        lastRecordAt: intervals.findLast(({ found }) => found === 'record')?.time ?? null,
      },
    ]),
  ),
  writableSince: 0,
  lostUntil: Number.NEGATIVE_INFINITY,
  writeProblem: null,
  heartbeatAt: null,
  problems: [],
  ...more,
});
const deployments = [deployment('h100', { gpu: 'H100', idleReplicas: 1 }), deployment('l40s', { gpu: 'L40S' })];
const reading = (now: number, given: Workload | null, more: Partial<Reading> = {}): Reading => ({
  now,
  workload: given,
  deployments: new Map(deployments.map((one) => [`${one.namespace}/${one.name}`, one])),
  profiles: new Map([
    ['ns/h100', foundProfile('h100', 8)],
    ['ns/l40s', foundProfile('l40s', 2)],
  ]),
  bounds: new Map(),
  // More than any target: nothing has to start.
  ready: new Map([
    ['ns/h100', 100],
    ['ns/l40s', 100],
  ]),
  gatewayUnchangedSince: null,
  engines: new Map(),
  unsynced: [],
  ...more,
});
const decidedBefore = (decisions: MoveMemory['decisions'], recent: MoveMemory['recent'] = new Map()): Memory => ({
  ...emptyMemory,
  moved: { decisions, recent },
});
const run = (given: Reading, memory: Memory = emptyMemory, more: Partial<PlannerSettings> = {}) =>
  decide(given, memory, { ...settings, ...more }, planOf);
const targets = (decided: ReturnType<typeof run>) =>
  Object.fromEntries(
    decided.targets.map(({ namespace, deployment: name, decision }) => [
      `${namespace}/${name}`,
      'replicas' in decision ? decision.replicas : decision.unavailable,
    ]),
  );

const steady = run(reading(2002, workload(2002, { m: busy(1410, 2000) })));

describe('stock', () => {
  const nodes = (gpus: Readonly<Record<string, number>>) =>
    new Map(Object.entries(gpus).map(([gpu, count]) => [gpu, { gpu, gpus: count, usable: true, elastic: false }]));
  const supply = (gpus: Readonly<Record<string, number>>, more: Partial<Supply> = {}): Supply => ({
    ...{ nodes: nodes(gpus), slices: [], holders: [], quotas: [], limits: null },
    ...more,
  });
  const cordoned = { gpu: 'L40S', gpus: 2, usable: false, elastic: false };
  const planned = (given: Supply, more: Partial<PlannerSettings> = {}) =>
    run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { supply: given }), emptyMemory, {
      stock: 'auto',
      ...more,
    });

  test('what Nodes show goes into the snapshot, which solves to the same plan', () => {
    const decided = planned(supply({ L40S: 1, H100: 4 }));
    expect(decided.snapshot?.stock).toEqual({ L40S: 1, H100: 4 });
    expect(decided.plan?.models[0]?.replicas).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(planOf(snapshotOf(JSON.parse(JSON.stringify(decided.snapshot))))).toEqual(decided.plan);
  });

  test('one replica more than there are Nodes for is asked for, by which a node autoscaler sees the wish', () => {
    const none = supply({}, { nodes: new Map([...nodes({ H100: 4 }), ['full', cordoned]]) });
    expect(targets(planned(none))).toEqual({ 'ns/h100': 1, 'ns/l40s': 1 });
    expect(targets(planned(supply({ L40S: 2, H100: 4 })))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('the replica that waits counts nowhere as one that serves', () => {
    const at = (count: number, memory: Memory = emptyMemory) =>
      run(
        reading(2002, workload(2002, { m: times(1410, 2000).map((time) => record(time, count, { '100:60': count })) }), {
          supply: supply({ L40S: 2, H100: 4 }),
        }),
        memory,
        { stock: 'auto', prices: { H100: 5, L40S: 1 }, switchSavings: 0.05 },
      );
    // 12 req/s: two L40S and an H100, where six L40S would be cheaper.
    const short = at(120);
    expect(short.memory.moved.decisions.get('ns/l40s')).toEqual({ replicas: 3, asOf: 2000, waiting: 1 });
    expect(targets(short)).toEqual({ 'ns/h100': 1, 'ns/l40s': 3 });
    // 13.9 req/s are more than those carry, and no more than they would with the one that waits.
    expect(targets(at(139, short.memory))['ns/h100']).toBe(2);
  });

  test('no replica is asked for that would run and serve nothing', () => {
    expect(targets(planned(supply({ L40S: 1, H100: 4 })))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('a ceiling of the user leaves no wish; no source, no limit', () => {
    const limits = { ceilings: { L40S: 1 }, namespaces: {} };
    expect(targets(planned(supply({}, { limits })))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(targets(planned(supply({ L40S: 1, H100: 4 }), { stock: 'none' }))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('a quota of the namespace bounds all types together', () => {
    const decided = planned(supply({}, { quotas: [{ namespace: 'ns', gpus: 1 }] }));
    expect(decided.snapshot?.quotas).toEqual({ ns: { '*': 1 } });
    expect(targets(decided)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('a change to another mix that has no room beside what it replaces is blocked, and says so', () => {
    const runs = new Map([
      ['ns/h100', 0],
      ['ns/l40s', 2],
    ]);
    const swap = (gpus: number) =>
      run(
        reading(2002, workload(2002, { m: busy(1410, 2000) }), {
          supply: supply({}, { quotas: [{ namespace: 'ns', gpus }] }),
          ready: runs,
        }),
        decidedBefore(new Map([...runs].map(([key, replicas]) => [key, { replicas, asOf: 1990 }]))),
        { stock: 'auto', prices: { H100: 1, L40S: 1 } },
      );
    expect(targets(swap(2))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    expect(swap(2).models).toMatchObject([{ swapBlocked: true }]);
    expect(targets(swap(3))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(swap(3).models).toMatchObject([{ swapBlocked: false }]);
  });

  test('what a model without fresh data has been told stays reserved', () => {
    const all = [...deployments, deployment('other', { model: 'n', gpu: 'L40S', replicas: 3 })];
    const given = workload(2002, { m: busy(1410, 2000) });
    const decided = run(
      reading(2002, given, {
        deployments: new Map(all.map((one) => [`ns/${one.name}`, one])),
        supply: supply({ L40S: 5, H100: 4 }),
      }),
      decidedBefore(new Map([['ns/other', { replicas: 4, asOf: 1990 }]])),
      { stock: 'auto' },
    );
    expect(decided.snapshot?.stock).toEqual({ L40S: 1, H100: 4 });
  });

  test('models on common stock are planned together, also where no snapshot is kept', () => {
    const decided = planned(supply({ L40S: 1, H100: 4 }), { keepSnapshot: false });
    expect(decided.snapshot?.stock).toEqual({ L40S: 1, H100: 4 });
    expect(planned(supply({}), { keepSnapshot: false }).snapshot).toBeNull();
  });
});

describe('what was seen of pods and replicas', () => {
  const given = (now: number) => workload(now, { m: busy(now - 592, now - 2) });
  /** Ticks every 10 s; `l40s` has these pods and replicas, and everything else is there. */
  const ticks = (
    from: number,
    to: number,
    l40s: (now: number) => {
      readonly replicas: number;
      readonly pods: readonly ReplicaPod[];
      readonly podsRefused?: string;
    },
    paces?: ReadonlyMap<string, Pace>,
    more: Partial<PlannerSettings> = {},
  ) => {
    let decided: ReturnType<typeof run> | null = null;
    for (let now = from; now <= to; now += 10) {
      const { replicas, pods, podsRefused = null } = l40s(now);
      const followed = decided?.memory.moved.decisions.get('ns/h100')?.replicas ?? 0;
      const all = [
        deployment('h100', { gpu: 'H100', replicas: followed }),
        deployment('l40s', { gpu: 'L40S', replicas, podsRefused }),
      ];
      const reading_ = reading(now, given(now), {
        deployments: new Map(all.map((one) => [`ns/${one.name}`, one])),
        pods: new Map([['ns/l40s', pods]]),
        ...(paces === undefined ? {} : { paces }),
      });
      decided = run(reading_, decided?.memory ?? emptyMemory, { followAfterSeconds: 120, ...more });
    }
    return decided!;
  };
  const pod = (name: string, more: Partial<ReplicaPod> = {}): ReplicaPod => ({
    ...{ name, createdAt: 2002, ready: false, readinessAt: null, placedAt: null, unschedulable: true },
    ...more,
  });
  const ready = pod('a', { ready: true, readinessAt: 2010, placedAt: 2002, unschedulable: false });

  /** No L40S at all: two pods wait, and when it is out of stock one. */
  const none = (now: number) => (now < 2620 ? { replicas: 2, pods: [pod('a'), pod('b')] } : { replicas: 1, pods: [pod('b')] });

  test('pods that find no place are waited for until their startup time is over, then planned around', () => {
    const short = () => ({ replicas: 2, pods: [ready, pod('b')] });
    expect(targets(ticks(2002, 2602, short))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    const out = ticks(2002, 2612, short);
    expect(out.snapshot?.models[0]?.variants).toMatchObject([{ name: 'ns/h100' }, { name: 'ns/l40s', maxReplicas: 1 }]);
    expect(out.plan?.models[0]?.replicas).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(out.models[0]?.variants).toMatchObject([{ outOfStock: false }, { outOfStock: true }]);
    expect(planOf(snapshotOf(JSON.parse(JSON.stringify(out.snapshot))))).toEqual(out.plan);
  });

  test('pods that cannot be made are planned around at once, with what Kubernetes says of them', () => {
    const refused = {
      replicas: 2,
      pods: [ready],
      podsRefused: 'exceeded quota: q, requested: pods=1, limited: pods=1',
    };
    const out = ticks(2002, 2012, () => refused);
    expect(out.snapshot?.models[0]?.variants[1]).toMatchObject({ name: 'ns/l40s', maxReplicas: 1 });
    expect(out.models[0]?.variants[1]).toMatchObject({ outOfStock: true, podsRefused: refused.podsRefused });
    // Once they are all there, what was said of them before is over.
    const made = { ...refused, pods: [ready, pod('b', { ready: true, readinessAt: 2030, placedAt: 2030 })] };
    expect(ticks(2002, 2042, (now) => (now < 2032 ? refused : made)).models[0]?.variants[1]?.outOfStock).toBe(false);
  });

  test('what is capped keeps one pod that waits, and is tried again after five minutes', () => {
    const capped = ticks(2002, 2612, none);
    expect(targets(capped)).toEqual({ 'ns/h100': 1, 'ns/l40s': 1 });
    expect(capped.models[0]?.variants[1]).toMatchObject({ outOfStock: true, notFollowed: false });
    expect(ticks(2002, 2902, none).plan?.models[0]?.replicas).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(ticks(2002, 2912, none).plan?.models[0]?.replicas).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('nothing that waits counts as there when it is weighed whether to change', () => {
    const short = () => ({ replicas: 2, pods: [ready, pod('b')] });
    const out = ticks(2002, 2612, short, undefined, { switchSavings: 0.05 });
    expect(targets(out)['ns/h100']).toBe(1);
    const wished = ticks(2002, 2622, none, undefined, { switchSavings: 0.05 });
    expect(targets(wished)).toEqual({ 'ns/h100': 1, 'ns/l40s': 1 });
    expect(wished.memory.moved.decisions.get('ns/l40s')).toMatchObject({ replicas: 1, waiting: 1 });
  });

  test('startup times are learned from pods, and then count', () => {
    const later = (now: number) => {
      const pods = ['a', 'b', 'c'].map((name) =>
        pod(name, { createdAt: 2010, placedAt: 2010, ready: now >= 2050, readinessAt: 2050, unschedulable: false }),
      );
      return { replicas: 2, pods: now < 2010 ? [] : [...pods, ...(now < 2100 ? [] : [pod('d', { createdAt: 2100 })])] };
    };
    expect(ticks(2002, 2062, later).models[0]?.variants[1]).toMatchObject({ startupSeconds: 40, outOfStock: false });
    expect(ticks(2002, 2162, later).models[0]?.variants[1]).toMatchObject({ startupSeconds: 40, outOfStock: true });
  });

  test('the others are planned around a target that nobody follows, and it stays what the plan wants', () => {
    const nobody = () => ({ replicas: 0, pods: [] });
    expect(targets(ticks(2002, 2132, nobody))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    const around = ticks(2002, 2142, nobody);
    expect(targets(around)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(around.models[0]?.variants[1]?.triedAgainAt).toBe(2442);
    expect(around.models[0]?.variants).toMatchObject([{ notFollowed: false }, { notFollowed: true }]);
    expect(around.snapshot?.models[0]?.variants[1]).toMatchObject({ minReplicas: 0, maxReplicas: 0 });
    expect(targets(ticks(2002, 2452, nobody))['ns/l40s']).toBe(2);
  });

  test('an autoscaler that runs to its maximum does not make that our target, and the others keep what they need', () => {
    const above = () => ({ replicas: 5, pods: [] });
    const paces = new Map([['ns/l40s', paceOfBehavior(undefined)]]);
    expect(ticks(2002, 2412, above, paces).models[0]?.variants[1]).toMatchObject({ notFollowed: false });
    const stays = ticks(2002, 2452, above, paces);
    expect(targets(stays)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    expect(stays.models[0]?.variants[1]).toMatchObject({ notFollowed: true });
  });

  test('what somebody fixed by hand is not judged', () => {
    const memory = {
      ...emptyMemory,
      observed: new Map([
        ['ns/l40s', { startups: noStartups, outage: { gives: 0, failures: 1, retryAt: 9e9 }, following: null }],
      ]),
    };
    const pinned = [deployments[0]!, deployment('l40s', { gpu: 'L40S', pin: { replicas: 2, until: null } })];
    const decided = run(
      reading(2002, given(2002), {
        deployments: new Map(pinned.map((one) => [`ns/${one.name}`, one])),
        pods: new Map(),
      }),
      memory,
    );
    expect(decided.memory.believed.behaviours.get('ns/l40s')).toMatchObject({ outage: null, following: null });
    expect(targets(decided)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });
});

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

  test('arrivals of unknown size hold what stands, and are not zero (case 25)', () => {
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
    const named = (...routers: (Routing | null)[]) => {
      const all = routers.map((router, index) => ({ ...deployments[index]!, router }));
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

describe('what is not known lowers nothing', () => {
  const silent = [...busy(1410, 1750), ...times(1760, 2000).map(nothing)];

  test('quiet and stale: the last decision stands, with its age', () => {
    const stale = run(reading(2040, workload(2002, { m: busy(1410, 2000) })), steady.memory);
    expect(stale.models).toMatchObject([{ state: 'stale' }]);
    expect(stale.targets.map(({ decision }) => decision)).toEqual([
      { replicas: 0, asOf: 2000 },
      { replicas: 2, asOf: 2000 },
    ]);
  });

  test('after staleAfterSeconds it is unavailable with the reason, and pods are still answered (case 22)', () => {
    const old = run(reading(2301, workload(2002, { m: busy(1410, 2000) })), steady.memory);
    expect(targets(old)['ns/l40s']).toMatch(/^stale: no request record for 301 s; our own write to Redis does not succeed/);
    expect(old.targets.map(({ standing }) => standing.replicas)).toEqual([0, 2]);
  });

  test('nothing but a credible idle goes to the label (case 48)', () => {
    expect(targets(run(reading(2002, workload(2002, { m: silent })), steady.memory))).toEqual({
      'ns/h100': 0,
      'ns/l40s': 2,
    });
    const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 })), steady.memory);
    expect(targets(idle)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(idle.plan).toBeNull();
  });

  test('at zero with nobody to wake it is said, unless a gateway of ours is heard', () => {
    const asleep = (heartbeatAt: number | null, more: Partial<ModelDeployment> = {}) => {
      const all = deployments.map((one) => ({ ...one, idleReplicas: 0, ...more }));
      const given = workload(2002, { m: silent }, { heartbeatAt });
      const trusting = { trustSilence: true };
      const of = { deployments: new Map(all.map((one) => [`ns/${one.name}`, one])) };
      return run(reading(2002, given, of), steady.memory, trusting).models[0]?.cannotWake;
    };
    expect(asleep(null)).toBe(true);
    expect(asleep(1401)).toBe(true);
    expect(asleep(1402)).toBe(false);
    expect(asleep(null, { idleReplicas: 1 })).toBe(false);
    expect(asleep(null, { pin: { replicas: 2, until: null } })).toBe(false);
    expect(steady.models[0]?.cannotWake).toBe(false);
  });

  test('after an idle decision, losing its evidence changes nothing', () => {
    const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 })), steady.memory);
    const later = run(reading(2100, workload(2100, { m: silent }, { heartbeatAt: 2000 })), idle.memory);
    expect(later.models).toMatchObject([{ state: 'stale' }]);
    expect(targets(later)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('missing: unavailable, but a Deployment below its label is raised to it', () => {
    const none = workload(2002, { m: times(1410, 2000).map(nothing) }, { heartbeatAt: 2000 });
    const atZero = new Map([...reading(0, null).deployments].map(([key, one]) => [key, { ...one, replicas: 0 }]));
    expect(targets(run(reading(2002, none)))).toEqual({
      'ns/h100': expect.stringMatching(/^missing/),
      'ns/l40s': expect.stringMatching(/^missing/),
    });
    expect(targets(run(reading(2002, none, { deployments: atZero })))).toEqual({
      'ns/h100': 1,
      'ns/l40s': expect.stringMatching(/^missing/),
    });
    expect(targets(run(reading(2002, null)))['ns/l40s']).toBe('missing: Redis has not been read yet');
    expect(targets(run(reading(2002, none, { unsynced: ['Pods have not been read yet'] })))['ns/l40s']).toBe(
      'missing: Pods have not been read yet',
    );
  });

  test('a Deployment without a profile is left alone, the others are planned', () => {
    const profiles = new Map([['ns/l40s', foundProfile('l40s', 2)]]);
    expect(targets(run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { profiles })))).toEqual({
      'ns/h100': 'no profile for Deployment ns/h100 of model m',
      'ns/l40s': 2,
    });
  });

  test('a label that is no integer keeps one Deployment from going idle, and harms no other', () => {
    const broken = { ...deployments[0]!, idleReplicas: null, problem: 'Deployment ns/h100: min_replicas is "two"' };
    const given = new Map([
      ['ns/h100', broken],
      ['ns/l40s', deployments[1]!],
    ]);
    const idle = run(reading(2002, workload(2002, { m: silent }, { heartbeatAt: 2000 }), { deployments: given }));
    expect(targets(idle)).toEqual({ 'ns/h100': 'Deployment ns/h100: min_replicas is "two"', 'ns/l40s': 0 });
    const traffic = run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { deployments: given }));
    expect(targets(traffic)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
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

describe('a user who fixes the replicas', () => {
  const having = (more: Partial<ModelDeployment>) =>
    new Map(deployments.map((one) => [`ns/${one.name}`, one.name === 'h100' ? { ...one, ...more } : one]));
  const busyNow = workload(2002, { m: busy(1410, 2000) });

  test('a pin is published and planned around', () => {
    const decided = run(reading(2002, busyNow, { deployments: having({ pin: { replicas: 1, until: null } }) }));
    // 3 req/s: the H100's 8 suffice, so no L40S is needed beside it.
    expect(targets(decided)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
    expect(targets(steady)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('a pin counts in every state, also when nothing is known', () => {
    const pinned = { deployments: having({ pin: { replicas: 5, until: null } }) };
    for (const given of [null, workload(2002, {}), workload(9000, { m: busy(1410, 2000) })])
      expect(targets(run(reading(given?.now ?? 2002, given, pinned)))['ns/h100']).toBe(5);
    const unprofiled = { ...pinned, profiles: new Map([['ns/l40s', foundProfile('l40s', 2)]]) };
    expect(targets(run(reading(2002, busyNow, unprofiled)))).toEqual({ 'ns/h100': 5, 'ns/l40s': 2 });
  });

  test('a pin ends when its time is over', () => {
    const until = (time: number) => ({ deployments: having({ pin: { replicas: 5, until: time } }) });
    expect(targets(run(reading(2002, busyNow, until(2003))))['ns/h100']).toBe(5);
    expect(targets(run(reading(2002, busyNow, until(2002))))['ns/h100']).toBe(0);
  });

  test('a paused Deployment is left alone, and what it runs is planned with', () => {
    const decided = run(reading(2002, busyNow, { deployments: having({ paused: true, replicas: 1 }) }));
    expect(targets(decided)).toEqual({ 'ns/h100': 'paused by the annotation gpumix.io/paused', 'ns/l40s': 0 });
    expect(decided.targets[0]?.standing.replicas).toBe(1);
  });

  test('what is fixed below the demand leaves the rest to the others, or says what is not served', () => {
    const both = new Map(
      deployments.map((one) => [`ns/${one.name}`, { ...one, pin: { replicas: one.name === 'l40s' ? 1 : 0, until: null } }]),
    );
    const decided = run(reading(2002, busyNow, { deployments: both }));
    expect(targets(decided)).toEqual({ 'ns/h100': 0, 'ns/l40s': 1 });
    expect(decided.models[0]?.unserved.maxReplicas).toBeCloseTo(1);
  });
});

describe('toward a plan', () => {
  const careful = { holdDownSeconds: 120, switchSavings: 0.05 };
  /** 3 req/s up to 2000, then `rate`. */
  const changed = (now: number, requests: number) => {
    const after = times(2010, now).map((time) => record(time, requests, { '100:60': requests }));
    return reading(now + 2, workload(now + 2, { m: [...busy(1410, 2000), ...after] }));
  };
  const from = (first: Reading) => {
    let memory = emptyMemory;
    const tick = (given: Reading) => {
      const decided = run(given, memory, careful);
      memory = decided.memory;
      return targets(decided);
    };
    tick(first);
    return tick;
  };

  test('before plans reach back for the hold-down time nothing that runs is given up', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    expect(tick(changed(2010, 30))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(tick(changed(2110, 30))).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(tick(changed(2120, 30))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('growth is at once, and what it was for stays for the hold-down time', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    for (let now = 2010; now <= 2200; now += 10) tick(changed(now, 30));
    const grown = tick(changed(2270, 60));
    expect(grown).toEqual({ 'ns/h100': 0, 'ns/l40s': 3 });
    expect(tick(changed(2340, 30))).toEqual(grown);
  });

  test('another mix waits until it is Ready', () => {
    const memory = decidedBefore(
      new Map([['ns/h100', { replicas: 1, asOf: 2000 }]]),
      new Map([
        ['ns/h100', [{ at: 0, replicas: 0 }]],
        ['ns/l40s', [{ at: 0, replicas: 0 }]],
      ]),
    );
    const at = (ready: number) =>
      targets(
        run(
          reading(2002, workload(2002, { m: busy(1410, 2000) }), {
            ready: new Map([
              ['ns/h100', 1],
              ['ns/l40s', ready],
            ]),
          }),
          memory,
          careful,
        ),
      );
    expect(at(0)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(at(1)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
    expect(at(2)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
  });

  test('another mix that saves too little is not begun', () => {
    const recent = new Map(['ns/h100', 'ns/l40s'].map((key) => [key, [{ at: 0, replicas: 0 }]] as const));
    const decisions = new Map([
      ['ns/h100', { replicas: 1, asOf: 2000 }],
      ['ns/l40s', { replicas: 0, asOf: 2000 }],
    ]);
    const given = reading(2002, workload(2002, { m: busy(1410, 2000) }));
    const mix = (switchSavings: number) => targets(run(given, decidedBefore(decisions, recent), { ...careful, switchSavings }));
    // 2 L40S at 1 in place of one H100 at 4 save half.
    expect(mix(0.4)).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
    expect(mix(0.6)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });

  test('idle goes to the label at once', () => {
    const tick = from(reading(2002, workload(2002, { m: busy(1410, 2000) })));
    for (let now = 2010; now <= 2200; now += 10) tick(changed(now, 30));
    const empty = times(2210, 2500).map((time) => record(time, 0, {}));
    const idle = workload(2502, { m: [...busy(1410, 2200), ...empty] }, { heartbeatAt: 2500 });
    expect(tick(reading(2502, idle))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  });
});

describe('demand ahead', () => {
  test('a steady growth is planned for as it will be when replicas have started, and that is said', () => {
    let memory = emptyMemory;
    let last = steady;
    for (let now = 2002; now <= 2002 + 4000; now += 10) {
      const intervals = times(now - 602, now - 2).map((time) => {
        const arrivals = Math.max(1, Math.round((time - 2000) / 10));
        return record(time, arrivals, { '100:60': arrivals });
      });
      last = run(reading(now, workload(now, { m: intervals })), memory);
      memory = last.memory;
    }
    // 40 arrivals in 10 s by now, in 600 s 46.
    expect(last.models[0]).toMatchObject({ state: 'fresh', forecast: { method: 'trend' } });
    expect(last.models[0]?.arrivalRate).toBeGreaterThan(42);
    expect(last.models[0]?.arrivalRate).toBeLessThan(48);
  });

  test('requests that wait beyond what is normal are worked off', () => {
    const timed = (gpu: string, throughput: number) => {
      const found = foundProfile(gpu, throughput);
      return { ...found, profile: { ...found.profile, e2eSeconds: [2] } };
    };
    const profiles = new Map([['ns/l40s', timed('l40s', 2)]]);
    const waiting = (pending: number) =>
      workload(2002, {
        m: [...busy(1410, 1990), record(2000, 30, { '100:60': 30, meta_pending_reqs: pending })],
      });
    // 3 req/s of 2 s each: 6 in flight are normal, and 3 √6 more.
    const rate = (pending: number) => run(reading(2002, waiting(pending), { profiles })).models[0]?.arrivalRate;
    expect(rate(13)).toBeCloseTo(3, 9);
    expect(rate(133)).toBeCloseTo(4, 1);
    const untimed = run(reading(2002, waiting(1000)));
    expect(untimed.models[0]?.arrivalRate).toBeCloseTo(3, 9);
  });
});
