import { expect, test } from 'vitest';
import { type Pace, paceOfBehavior } from '../../src/cluster/pace.ts';
import { noStartups, type ReplicaPod } from '../../src/planner/believe/startups.ts';
import type { PlannerSettings } from '../../src/planner/decide.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../src/planner/plan/snapshot-document.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import { deployment } from '../helpers/deployments.ts';
import { busy, deployments, reading, run, targets, workload } from '../helpers/planner.ts';

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
      ['ns/l40s', { startups: noStartups, outage: { attainable: 0, failures: 1, retryAt: 9e9 }, following: null }],
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
