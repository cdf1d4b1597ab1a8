import { expect, test } from 'vitest';
import { noStartups } from '../../../src/planner/believe/startups.ts';
import { storedPlans } from '../../../src/planner/publish/stored-plan.ts';
import { emptyMemory } from '../../../src/planner/remember/tick-memory.ts';
import type { TickOutcome } from '../../../src/planner/report/tick-outcome.ts';
import { memoryStore } from '../../../src/workload/memory-store.ts';

const term = { uid: 'lease', createdAt: 100, transitions: 0 };
const strain = { factor: 1.2, steadySince: 4000, steadyFactor: 1, rate: 3, requestWork: 0.1, ready: 2, at: 4900 };
const waking = { idleFrom: 1, idleAt: 2, began: null, shape: null, habits: [{ next: 9, days: [{ at: 3, rate: 4 }] }] };
const outcome: TickOutcome = {
  memory: {
    ...emptyMemory,
    believed: { ...emptyMemory.believed, strains: new Map([['m', strain]]), wakings: new Map([['m', waking]]) },
    moved: {
      decisions: new Map([['ns/a', { replicas: 3, asOf: 4890 }]]),
      wanted: new Map([
        [
          'ns/a',
          [
            { at: 4880, replicas: 2 },
            { at: 4890, replicas: 3 },
          ],
        ],
      ]),
      forgone: new Map([['m', { money: 0.1, at: 4890 }]]),
    },
  },
  targets: [
    {
      ...{ namespace: 'ns', deployment: 'a', labels: { kept: 'elsewhere' } },
      ...{ decision: { replicas: 3, asOf: 4890 }, standing: { replicas: 3, asOf: 4890 } },
    },
  ],
  ...{ models: [], snapshot: null, plan: null, routes: [], enginesToAsk: [], problems: [], plansMade: 1 },
};
const setUp = () => {
  const clock = { now: 5000 };
  const store = memoryStore(() => clock.now);
  return { clock, store, plans: storedPlans(store, 'gpumix:plans', 'ns/gpumix') };
};

test('what a leader has decided comes back as it was, but for labels, and with its age', async () => {
  const { clock, plans } = setUp();
  expect(await plans.keep(outcome, 4990, term)).toBe('kept');
  clock.now = 5030;
  const { plan, ageSeconds } = (await plans.last())!;
  expect(ageSeconds).toBe(40);
  expect([plan.at, plan.forgone, plan.decisions, plan.wanted, plan.strains, plan.wakings]).toEqual([
    4990,
    outcome.memory.moved.forgone,
    outcome.memory.moved.decisions,
    outcome.memory.moved.wanted,
    outcome.memory.believed.strains,
    outcome.memory.believed.wakings,
  ]);
  expect(plan.targets).toEqual([{ ...outcome.targets[0], labels: {} }]);
});

test('the document keeps the names that earlier releases gave', async () => {
  const { store, plans } = setUp();
  const outage = { attainable: 2, failures: 1, retryAt: 5100 };
  const behaviours = new Map([['ns/a', { startups: noStartups, outage, following: null }]]);
  const { memory } = outcome;
  await plans.keep({ ...outcome, memory: { ...memory, believed: { ...memory.believed, behaviours } } }, 4990, term);
  const { document } = await store.readFields('gpumix:plans', ['document']);
  const { strains, observed } = JSON.parse(document!);
  expect(strains).toEqual([['m', { factor: 1.2, steadySince: 4000, base: 1, rate: 3, requestWork: 0.1, ready: 2, at: 4900 }]]);
  expect(observed).toEqual([['ns/a', { outage: { gives: 2, failures: 1, retryAt: 5100 }, following: null, seconds: [] }]]);
  expect((await plans.last())!.plan.behaviours.get('ns/a')?.outage).toEqual(outage);
});

test('it is news once, to this Lease and to one that is made anew; another installation neither reads nor overwrites it', async () => {
  const { store, plans } = setUp();
  expect(await plans.news(term)).toBeNull();
  await plans.keep(outcome, 4990, term);
  expect((await plans.news(term))?.plan.at).toBe(4990);
  expect(await plans.news(term)).toBeNull();
  const again = storedPlans(store, 'gpumix:plans', 'ns/gpumix');
  expect((await again.news({ ...term, uid: 'another', createdAt: 200 }))?.plan.at).toBe(4990);
  const other = storedPlans(store, 'gpumix:plans', 'elsewhere/gpumix');
  expect(await other.news({ ...term, uid: 'another', createdAt: 200 })).toBeNull();
  expect(await other.keep(outcome, 4995, { ...term, uid: 'another' })).toBe('other');
});

test('the work per request is stored under the name that it had first: what an earlier gpumix stored is read', async () => {
  const { store, plans } = setUp();
  const trial = { digest: 'd', found: null, workPerRequest: 0.25, proven: true, heldBack: null };
  const believed = { ...emptyMemory.believed, trials: new Map([['ns/a', trial]]) };
  await plans.keep({ ...outcome, memory: { ...outcome.memory, believed } }, 4990, term);
  const { document } = await store.readFields('gpumix:plans', ['document']);
  expect(JSON.parse(document!).trials).toEqual([['ns/a', { digest: 'd', load: 0.25, proven: true }]]);
  expect((await plans.last())!.plan.trials).toEqual(new Map([['ns/a', trial]]));

  const workPerRequest = new Map([['ns/a', 0.5]]);
  await plans.keep({ ...outcome, memory: { ...outcome.memory, believed, workPerRequest } }, 5000, term);
  expect((await plans.last())!.plan.trials.get('ns/a')?.workPerRequest).toBe(0.5);
});

test('a document of another version is nothing', async () => {
  const { store, plans } = setUp();
  const order = { installation: 'ns/gpumix', lease: 'lease', leaseCreatedAt: 100, transitions: 0, sequence: 1 };
  await store.keepPlan('gpumix:plans', { ...order, at: 4990, document: '{"version":2,"targets":[]}' }, 100);
  expect(await plans.last()).toBeNull();
});

test('until when a Deployment is unfollowed is stored under the name that it had first, and comes back', async () => {
  const { store, plans } = setUp();
  const following = { replicas: 1, rising: true, since: 4000, unfollowedUntil: 5300, spec: null };
  const behaviours = new Map([
    ['ns/a', { startups: noStartups, outage: null, following }],
    ['ns/b', { startups: noStartups, outage: null, following: null }],
  ]);
  await plans.keep({ ...outcome, memory: { ...emptyMemory, believed: { ...emptyMemory.believed, behaviours } } }, 4990, term);
  const { document } = await store.readFields('gpumix:plans', ['document']);
  expect(JSON.parse(document!).observed[0][1].following).toEqual({
    ...{ replicas: 1, rising: true, since: 4000, fixedUntil: 5300, spec: null },
  });
  expect((await plans.last())?.plan.behaviours).toEqual(behaviours);
});
