import { expect, test } from 'vitest';
import { leaderOrFollower, tellingReplicas } from '../../src/planner/leader-or-follower.ts';
import { createBoard } from '../../src/planner/publish/board.ts';
import { type LeaderTerm, storedPlans } from '../../src/planner/publish/stored-plan.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import type { TickOutcome } from '../../src/planner/report/tick-outcome.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import type { Store } from '../../src/workload/store.ts';
import { deployment } from '../helpers/deployments.ts';

const strain = { factor: 1.2, steadySince: 4000, steadyFactor: 1, rate: 3, requestWork: 0.1, ready: 2, at: 4900 };
const decided = (replicas: number, asOf: number): TickOutcome => ({
  memory: {
    ...emptyMemory,
    believed: { ...emptyMemory.believed, strains: new Map([['m', strain]]) },
    moved: {
      decisions: new Map([['ns/a', { replicas, asOf }]]),
      wanted: new Map([['ns/a', [{ at: 4890, replicas: 2 }]]]),
      forgone: new Map(),
    },
  },
  targets: [
    {
      namespace: 'ns',
      deployment: 'a',
      labels: { not: 'stored' },
      decision: { replicas, asOf },
      standing: { replicas, asOf },
    },
  ],
  models: [],
  snapshot: null,
  plan: null,
  routes: [],
  enginesToAsk: [],
  problems: [],
  plansMade: 1,
});

/** Redis' clock is 100 s behind ours. */
const setUp = () => {
  const clock = { now: 5000 };
  const store = memoryStore(() => clock.now - 100);
  /** A replica whose planner wants `wants` replicas at every turn in which it leads. */
  const replica = (through: Store = store, installation = 'gpumix-system/gpumix') => {
    const leadership = { leading: false, term: { uid: 'lease', createdAt: 4000, transitions: 0 } as LeaderTerm | null };
    const asLeadership = () => ({ leads: leadership.leading, term: leadership.term });
    const stored = storedPlans(through, 'gpumix:plans', installation);
    const deployments = new Map([['ns/a', deployment('a', { replicas: 1 })]]);
    const board = createBoard(deployments, new Map(), 300, () => clock.now);
    const share = tellingReplicas(stored, asLeadership);
    const planner = { wants: 3, restored: [] as unknown[] };
    const problems: (string | null)[] = [];
    const turn = leaderOrFollower({
      leadership: asLeadership,
      stored,
      ticker: {
        due: () => true,
        tick: async () => {
          const result = decided(planner.wants, clock.now - 100);
          const { superseded, problems: found } = await share(result, clock.now - 100);
          if (!superseded) board.publish(result, clock.now);
          problems.push(...found);
        },
        restore: ({ decisions, wanted, strains }) => planner.restored.push([...decisions, ...wanted, ...strains]),
      },
      board,
      clock: () => clock.now,
      onProblem: (problem) => problems.push(problem),
    });
    const lead = (transitions: number) =>
      Object.assign(leadership, { leading: true, term: { uid: 'lease', createdAt: 4000, transitions } });
    const answer = () => {
      const decision = board.target('ns', 'a')?.decision;
      return decision !== undefined && 'replicas' in decision ? decision.replicas : decision?.unavailable;
    };
    return { turn, lead, leadership, planner, board, deployments, problems, answer };
  };
  return { clock, store, replica };
};

test('a replica that follows says what the leader said, labels apart, and ages it by the store’s clock', async () => {
  const { clock, replica } = setUp();
  const [one, two] = [replica(), replica()];
  one.lead(0);
  expect(await two.turn()).toBe(false);
  expect(two.answer()).toMatch(/^no plan yet/);
  await one.turn();
  clock.now += 4;
  expect(await two.turn()).toBe(true);
  expect(two.board.target('ns', 'a')).toEqual(one.board.target('ns', 'a'));
  expect(two.board.publishedAt()).toBe(clock.now - 4);
  expect(await two.turn()).toBe(false);
  clock.now += 297;
  expect(two.answer()).toMatch(/has not finished a tick for 301 s/);
});

test('the next leader starts from the last plan', async () => {
  const { replica } = setUp();
  const [one, two] = [replica(), replica()];
  one.lead(0);
  await one.turn();
  one.leadership.leading = false;
  two.lead(1);
  two.planner.wants = 4;
  await two.turn();
  expect(two.planner.restored).toEqual([
    [
      ['ns/a', { replicas: 3, asOf: 4900 }],
      ['ns/a', [{ at: 4890, replicas: 2 }]],
      ['m', strain],
    ],
  ]);
  expect(two.answer()).toBe(4);
  await two.turn();
  expect(two.planner.restored).toHaveLength(1);
  await one.turn();
  expect(one.answer()).toBe(4);
});

test('of two that both think they lead, the later one’s plan stays and the other publishes nothing', async () => {
  const { replica } = setUp();
  const [one, two] = [replica(), replica()];
  one.lead(0);
  await one.turn();
  two.lead(1);
  two.planner.wants = 4;
  await two.turn();
  one.planner.wants = 9;
  await one.turn();
  expect(one.answer()).toBe(3);
  expect(one.problems).toEqual(['a later plan is stored: this tick is void']);
  one.leadership.leading = false;
  await one.turn();
  expect([one.answer(), two.answer()]).toEqual([4, 4]);
});

test('who lost the Lease during a tick publishes nothing of it', async () => {
  const { replica } = setUp();
  const one = replica();
  one.lead(0);
  const share = tellingReplicas(
    storedPlans(
      memoryStore(() => 0),
      'k',
      'n/s',
    ),
    () => ({ leads: false, term: null }),
  );
  expect(await share(decided(3, 0), 0)).toMatchObject({ superseded: true });
});

test('a plan of a leader that is gone lowers nothing', async () => {
  const { clock, replica } = setUp();
  const one = replica();
  one.lead(0);
  await one.turn();
  clock.now += 31;
  const two = replica();
  two.deployments.set('ns/a', deployment('a', { replicas: 5 }));
  await two.turn();
  expect(two.answer()).toBe(5);
});

test('another living installation under the same prefix is named; one that is gone is replaced', async () => {
  const { clock, replica } = setUp();
  const [one, other] = [replica(), replica(undefined, 'team/gpumix')];
  one.lead(5);
  await one.turn();
  other.leadership.leading = true;
  other.leadership.term = { uid: 'another lease', createdAt: 3000, transitions: 0 };
  other.planner.wants = 8;
  await other.turn();
  expect(other.problems).toEqual(['another installation of gpumix keeps its plans here: give each its own --plan-prefix']);
  expect(other.answer()).toBe(8);
  clock.now += 61;
  await other.turn();
  expect(other.problems).toHaveLength(1);
  one.leadership.leading = false;
  expect(await one.turn()).toBe(false);
});

test('a Lease that was deleted is made anew: what is stored stands for all, and the new leader’s plan counts at once', async () => {
  const { clock, replica } = setUp();
  const [one, two] = [replica(), replica()];
  one.lead(7);
  await one.turn();
  await two.turn();
  const anew = { uid: 'made anew', createdAt: 5003, transitions: 0 };
  one.leadership.leading = false;
  for (const { leadership } of [one, two]) leadership.term = anew;
  clock.now += 3;
  const late = replica();
  late.leadership.term = anew;
  await late.turn();
  expect([one.answer(), two.answer(), late.answer()]).toEqual([3, 3, 3]);
  two.leadership.leading = true;
  two.planner.wants = 4;
  await two.turn();
  for (const follower of [one, late]) await follower.turn();
  expect([one.answer(), two.answer(), late.answer()]).toEqual([4, 4, 4]);
  expect([one.problems, two.problems]).toEqual([[], []]);
});

test('an installation of the same name in another cluster keeps its own plan, and is told', async () => {
  const { replica } = setUp();
  const [here, there] = [replica(), replica()];
  here.lead(0);
  there.leadership.leading = true;
  there.leadership.term = { uid: 'there', createdAt: 4500, transitions: 0 };
  there.planner.wants = 8;
  await here.turn();
  await there.turn();
  await here.turn();
  expect([here.answer(), there.answer()]).toEqual([3, 8]);
  expect(here.problems).toEqual([expect.stringMatching(/^another installation of gpumix keeps its plans here/)]);
});

test('with the store away the leader goes on from memory and says so; who follows stands', async () => {
  const { store, replica } = setUp();
  const refusing = () => Promise.reject(new Error('ECONNREFUSED'));
  const away = { ...store, keepPlan: refusing, readFields: refusing };
  const [one, two] = [replica(away), replica(away)];
  one.lead(0);
  await one.turn();
  expect(one.answer()).toBe(3);
  expect(one.problems).toEqual(['ECONNREFUSED', 'the plan is not stored: ECONNREFUSED']);
  await two.turn();
  await two.turn();
  expect(two.problems).toEqual(['ECONNREFUSED']);
});
