import { expect, test } from 'vitest';
import type { Supply } from '../../src/cluster/stock.ts';
import type { PlannerSettings } from '../../src/planner/decide.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../src/planner/plan/snapshot-document.ts';
import { emptyMemory, type Memory } from '../../src/planner/remember/tick-memory.ts';
import { deployment } from '../helpers/deployments.ts';
import { busy, decidedBefore, deployments, reading, run, targets, times, workload } from '../helpers/planner.ts';
import { record } from '../helpers/records.ts';

const nodes = (gpus: Readonly<Record<string, number>>) =>
  new Map(Object.entries(gpus).map(([gpu, count]) => [gpu, { gpu, gpus: count, usable: true, elastic: false }]));
const supply = (gpus: Readonly<Record<string, number>>, more: Partial<Supply> = {}): Supply => ({
  ...{ nodes: nodes(gpus), slices: [], holders: [], quotas: [], limits: null },
  ...more,
});
const cordoned = { gpu: 'L40S', gpus: 2, usable: false, elastic: false };
const planned = (given: Supply, more: Partial<PlannerSettings> = {}) =>
  run(reading(2002, workload(2002, { m: busy(1410, 2000) }), { supply: given }), emptyMemory, {
    stockSource: 'auto',
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
      { stockSource: 'auto', prices: { H100: 5, L40S: 1 }, switchSavings: 0.05 },
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
  expect(targets(planned(supply({ L40S: 1, H100: 4 }), { stockSource: 'none' }))).toEqual({ 'ns/h100': 0, 'ns/l40s': 2 });
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
      { stockSource: 'auto', prices: { H100: 1, L40S: 1 } },
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
    { stockSource: 'auto' },
  );
  expect(decided.snapshot?.stock).toEqual({ L40S: 1, H100: 4 });
});

test('models on common stock are planned together, also where no snapshot is kept', () => {
  const decided = planned(supply({ L40S: 1, H100: 4 }), { keepSnapshot: false });
  expect(decided.snapshot?.stock).toEqual({ L40S: 1, H100: 4 });
  expect(planned(supply({}), { keepSnapshot: false }).snapshot).toBeNull();
});
