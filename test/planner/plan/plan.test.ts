import { expect, test } from 'vitest';
import type { Supply } from '../../../src/cluster/stock.ts';
import type { Belief } from '../../../src/planner/believe/believe.ts';
import { noStartups } from '../../../src/planner/believe/startups.ts';
import { type PlanSettings, type PlanTick, planModels } from '../../../src/planner/plan/plan.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { tickWork } from '../../../src/planner/plan/work-limit.ts';
import { belief, candidate } from '../../helpers/beliefs.ts';
import { deployment } from '../../helpers/deployments.ts';
import { settings } from '../../helpers/planner.ts';

const row = { inputTokens: 1024, outputTokens: 64, arrivalRate: 12 };
/** Model `<name>` of Deployment `ns/<name>`, of which 5 req/s go to each replica: three are needed. */
const model = (name: string, more: Partial<Belief> = {}) =>
  belief({ name, deployments: [deployment(name)], candidates: [candidate(name)], demand: [row], ...more });
const supply = (more: Partial<Supply>): Supply => ({
  ...{ nodes: new Map(), slices: [], holders: [], quotas: [], limits: null },
  ...more,
});
const planned = (models: readonly Belief[], more: Partial<PlanSettings> = {}, reading: Partial<PlanTick['reading']> = {}) => [
  ...planModels(models, {
    reading: { now: 1000, workload: null, ...reading },
    memory: { moved: { decisions: new Map() } },
    settings: { ...settings, keepSnapshot: false, ...more },
    workLimit: tickWork,
    makePlan: planOf,
  }),
];
const replicasOf = (parts: ReturnType<typeof planned>) =>
  Object.assign({}, ...parts.flatMap(({ solved }) => (solved?.plan.models ?? []).map(({ replicas }) => replicas)));
const namesOf = (parts: ReturnType<typeof planned>) => parts.map(({ beliefs }) => beliefs.map(({ name }) => name));

test('models that share nothing are planned one after the other, each when it is asked for', () => {
  let made = 0;
  const makePlan: PlanTick['makePlan'] = (snapshot) => {
    made++;
    return planOf(snapshot);
  };
  const known = {
    reading: { now: 1000, workload: null },
    memory: { moved: { decisions: new Map() } },
    workLimit: tickWork,
    makePlan,
  };
  const parts = planModels([model('a'), model('b')], { ...known, settings: { ...settings, keepSnapshot: false } });
  expect(made).toBe(0);
  expect(parts.next().value).toMatchObject({ ofAllModels: false, beliefs: [{ name: 'a' }] });
  expect(made).toBe(1);
  expect(parts.next().value).toMatchObject({ ofAllModels: false, beliefs: [{ name: 'b' }] });
  expect([made, parts.next().done]).toEqual([2, true]);
});

test('models are planned together where they share a budget or stock, or the snapshot is to be kept', () => {
  const models = [model('a'), model('b')];
  const limited = { supply: supply({ limits: { ceilings: { a: 2 }, namespaces: {} } }) };
  expect(namesOf(planned(models, { budget: 100 }))).toEqual([['a', 'b']]);
  expect(namesOf(planned(models, { keepSnapshot: true }))).toEqual([['a', 'b']]);
  const parts = planned(models, { stockSource: 'config' }, limited);
  expect([namesOf(parts), parts[0]!.ofAllModels]).toEqual([[['a', 'b']], true]);
  expect([parts[0]!.limits.stock, replicasOf(parts)]).toEqual([{ a: 2 }, { 'ns/a': 2, 'ns/b': 3 }]);
});

test('a supply that limits nothing, or is not to be believed, divides no stock', () => {
  const models = [model('a'), model('b')];
  const limited = { supply: supply({ limits: { ceilings: { a: 2 }, namespaces: {} } }) };
  for (const [stockSource, reading] of [['none', limited] as const, ['auto', { supply: supply({}) }] as const]) {
    const parts = planned(models, { stockSource }, reading);
    expect(namesOf(parts)).toEqual([['a'], ['b']]);
    expect(replicasOf(parts)).toEqual({ 'ns/a': 3, 'ns/b': 3 });
  }
});

test('a model without demand is planned for by nobody, alone or among others', () => {
  const none = model('b', { demand: null });
  expect(planned([none])).toMatchObject([{ solved: null, workPerRequest: new Map() }]);
  const [together] = planned([model('a'), none], { keepSnapshot: true });
  expect(together!.solved!.snapshot.models.map(({ name }) => name)).toEqual(['a']);
  expect(together!.beliefs).toHaveLength(2);
});

test('the load of one request per second is the mean over the demand, of variants on which it is finite', () => {
  const { profile } = candidate('a');
  const sizes = { ...profile, inputTokens: [256, 1024], throughput: [20, 5] };
  const demand = [
    { ...row, arrivalRate: 1 },
    { ...row, inputTokens: 256, arrivalRate: 3 },
  ];
  const candidates = [candidate('a', { profile: sizes }), candidate('b', { profile: { ...profile, throughput: [0] } })];
  const [part] = planned([model('a', { demand, candidates })]);
  expect([...part!.workPerRequest]).toEqual([['ns/a', expect.closeTo((1 / 5 + 3 / 20) / 4, 9)]]);
});

test('what a Deployment that does not follow lacks is planned for elsewhere, and what is wanted of it is told', () => {
  const following = { replicas: 1, rising: true, since: 0, unfollowedUntil: 1300, spec: null };
  const both = (behaviours: Belief['behaviours']) =>
    planned([
      model('a', {
        deployments: [deployment('a'), deployment('b')],
        candidates: [candidate('a'), candidate('b', { price: 2 })],
        behaviours,
      }),
    ]);
  expect(replicasOf(both(new Map()))).toEqual({ 'ns/a': 3, 'ns/b': 0 });
  const parts = both(new Map([['ns/a', { startups: noStartups, outage: null, following }]]));
  expect(replicasOf(parts)).toEqual({ 'ns/a': 1, 'ns/b': 2 });
  expect([...parts[0]!.unfollowed]).toEqual([['ns/a', 3]]);
});
