import { describe, expect, test } from 'vitest';
import type { EngineWatch } from '../../src/cluster/engines.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { createBoard } from '../../src/planner/publish/board.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import { createTicker } from '../../src/planner/tick.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { workloadReader } from '../../src/workload/reader.ts';
import { deployment, foundProfile } from '../helpers/deployments.ts';
import { settings } from '../helpers/planner.ts';
import { deploymentPod } from '../helpers/pods.ts';
import { recordText } from '../helpers/records.ts';

/** Redis' clock is `behind` seconds behind ours. */
const setUp = (behind = 0, gateways = 1, recordSeconds = 10, engines?: EngineWatch, pods: readonly DeploymentPod[] = []) => {
  const clock = { now: 5000 };
  const store = memoryStore(() => clock.now - behind);
  let away = false;
  let readSeconds = 0;
  let remembered = emptyMemory;
  const routed: { models: readonly string[]; ready: number; now: number }[] = [];
  const deployments = new Map([['ns/l40s', deployment('l40s')]]);
  const board = createBoard(deployments, new Map(), 300, () => clock.now);
  const reader = workloadReader(store, {
    intervalSeconds: 10,
    settleSeconds: 2,
    historySeconds: 600,
    keyPrefix: 'gpumix:',
    instance: 'x',
  });
  const problems: (readonly string[])[] = [];
  const told: { readonly targets: number; readonly now: number; readonly publishedAt: number | null }[] = [];
  let overtaken: string | null = null;
  const loop = createTicker({
    cluster: {
      deployments,
      pods: new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod])),
      bounds: () => new Map(),
      gatewayUnchangedSince: () => null,
      gatewayReplicas: () => gateways,
      unsynced: () => [],
      problems: () => ['of the cluster'],
    },
    readWorkload: async (names) => {
      if (away) throw new Error('ECONNREFUSED');
      const workload = await reader.read(names);
      clock.now += readSeconds;
      return workload;
    },
    readProfiles: async () => ({ found: new Map([['ns/l40s', foundProfile('l40s', 2)]]), problems: ['of profiles'] }),
    engines,
    makePlan: planOf,
    board,
    settings: { ...settings, intervalSeconds: 10, followAfterSeconds: 120, prices: {}, nodeLimit: 1000 },
    clock: () => clock.now,
    tellReplicas: async (decided, now) => {
      told.push({ targets: decided.targets.length, now, publishedAt: board.publishedAt() });
      if (overtaken === 'broken') throw new Error(overtaken);
      return { superseded: overtaken !== null, problems: overtaken === null ? [] : [overtaken] };
    },
    tellRouters: async ({ models }, ready, now) => {
      routed.push({ models: models.map(({ name }) => name), ready: ready('ns/l40s'), now });
      return pods.length === 0 ? [] : ['of routing'];
    },
    onTick: (decided, _, found) => {
      remembered = decided.memory;
      problems.push(found);
    },
  });
  const writeRecord = (time: number, arrivals: number, fields: Readonly<Record<string, number>>) =>
    store.write(`aibrix:m_request_trace_${time}`, recordText(arrivals, { meta_interval_sec: recordSeconds, ...fields }), 600);
  const write = (time: number) => writeRecord(time, 30, { '100:60': 30 });
  return {
    clock,
    loop,
    board,
    problems,
    routed,
    told,
    overtake: (why: string | null) => {
      overtaken = why;
    },
    memory: () => remembered,
    write,
    writeRecord,
    setReadSeconds: (value: number) => {
      readSeconds = value;
    },
    setAway: (value: boolean) => {
      away = value;
    },
  };
};
const replicas = (board: ReturnType<typeof setUp>['board']) => board.target('ns', 'l40s')?.decision;

test('a tick is due once per interval, settle time after its end', async () => {
  const { clock, loop } = setUp();
  clock.now = 5001;
  await loop.tick();
  expect(loop.due()).toBe(false);
  clock.now = 5001.9;
  expect(loop.due()).toBe(false);
  clock.now = 5002;
  expect(loop.due()).toBe(true);
  await loop.tick();
  expect(loop.due()).toBe(false);
});

test('the clock of Redis counts, also where ours is ten seconds off; that is said', async () => {
  const { clock, loop, board, problems, write } = setUp(10);
  for (const time of [4970, 4980]) await write(time);
  clock.now = 4992.5;
  await loop.tick();
  expect(replicas(board)).toEqual({ replicas: 2, asOf: 4980 });
  expect(problems.at(-1)).toContain('our clock differs from that of Redis by -10 s; that of Redis counts');
  clock.now = 5001.9;
  expect(loop.due()).toBe(false);
  clock.now = 5002;
  expect(loop.due()).toBe(true);
});

test('a read that takes long is no error of a clock', async () => {
  const { clock, loop, problems, write, setReadSeconds } = setUp();
  for (const time of [4990, 5000]) await write(time);
  setReadSeconds(5);
  clock.now = 5002;
  await loop.tick();
  expect(problems.at(-1)).toEqual(['of profiles', 'of the cluster']);
  expect(clock.now).toBe(5007);
  expect(loop.due()).toBe(false);
});

test('where Redis is away the loop goes on, says so, and what stood stands until it is stale', async () => {
  const { clock, loop, board, problems, write, setAway } = setUp();
  for (const time of [4990, 5000]) await write(time);
  clock.now = 5002;
  await loop.tick();
  expect(replicas(board)).toEqual({ replicas: 2, asOf: 5000 });
  setAway(true);
  clock.now = 5300;
  await loop.tick();
  expect(replicas(board)).toEqual({ replicas: 2, asOf: 5000 });
  expect(problems.at(-1)).toEqual(['ECONNREFUSED', 'of profiles', 'of the cluster']);
  clock.now = 5302;
  await loop.tick();
  expect(replicas(board)).toEqual({ unavailable: expect.stringMatching(/^stale: no request record for 302 s/) });
  setAway(false);
  for (let time = 5260; time <= 5310; time += 10) await write(time);
  clock.now = 5312;
  await loop.tick();
  expect(replicas(board)).toEqual({ replicas: 2, asOf: 5310 });
});

test('several replicas of a gateway that overwrite each other are said to be undercounted', async () => {
  const { clock, loop, problems, write } = setUp(0, 2);
  for (const time of [4990, 5000]) await write(time);
  clock.now = 5002;
  await loop.tick();
  expect(problems.at(-1)).toContain(
    "undercount possible: the gateway has 2 replicas, which overwrite each other's records; demand may be 2 times what is seen",
  );
});

test('the interval that the records name counts, not the setting', async () => {
  const { clock, loop, write } = setUp(0, 1, 30);
  for (const time of [4980, 5010]) await write(time);
  clock.now = 5012;
  await loop.tick();
  clock.now = 5032;
  expect(loop.due()).toBe(false);
  clock.now = 5042;
  expect(loop.due()).toBe(true);
});

test('engines are asked once no request is seen, and their word makes the silence count', async () => {
  const observed: (readonly string[])[] = [];
  const engines: EngineWatch = {
    observe: (pods) => observed.push(pods.map(({ name }) => name)),
    activity: (pods) => (pods.length === 0 ? null : { quietSince: 5000, busyAt: null, sample: null }),
  };
  const { clock, loop, board, write } = setUp(0, 1, 10, engines, [
    deploymentPod('l40s-1', { deployment: 'l40s' }),
    deploymentPod('other-1', { deployment: 'other' }),
  ]);
  for (const time of [4990, 5000]) await write(time);
  clock.now = 5002;
  await loop.tick();
  expect(observed).toEqual([[]]);
  for (clock.now = 5012; clock.now <= 5252; clock.now += 10) await loop.tick();
  expect(observed.at(-1)).toEqual(['l40s-1']);
  expect(replicas(board)).toMatchObject({ replicas: 0 });
});

test('pods on their way out are neither Ready nor starting', async () => {
  const pods = ['l40s-1', 'l40s-2', 'l40s-3'].map((name) =>
    deploymentPod(name, { deployment: 'l40s', ready: name === 'l40s-1', terminating: name !== 'l40s-1' }),
  );
  const { clock, loop, write, routed, memory } = setUp(0, 1, 10, undefined, pods);
  for (const time of [4990, 5000]) await write(time);
  clock.now = 5002;
  await loop.tick();
  expect(routed.at(-1)?.ready).toBe(1);
  expect([...memory().believed.behaviours.get('ns/l40s')!.startups.startingPods]).toEqual([]);
  expect([...(memory().believed.behaviours.get('ns/l40s')!.startups.seen ?? [])]).toEqual(['l40s-1']);
});

test('routers are told after each tick, with what is Ready; what fails is a problem', async () => {
  const { clock, loop, problems, write, routed } = setUp(0, 1, 10, undefined, [deploymentPod('l40s-1', { deployment: 'l40s' })]);
  for (const time of [4990, 5000]) await write(time);
  clock.now = 5002;
  await loop.tick();
  expect(routed).toEqual([{ models: ['m'], ready: 1, now: 5002 }]);
  expect(problems.at(-1)).toContain('of routing');
});

test('of a gateway that counts one arrival in a hundred, what ends is planned for, and what engines hold beside it', async () => {
  let held = 20;
  const { clock, loop, board, problems, writeRecord } = setUp(
    0,
    1,
    10,
    {
      observe: () => {},
      activity: () => ({
        quietSince: null,
        busyAt: clock.now,
        sample: { at: clock.now - 9, inFlight: held, ended: null },
      }),
    },
    [deploymentPod('l40s-1', { deployment: 'l40s' })],
  );
  const broken = (time: number) => writeRecord(time, 0, { '100:60': 40, meta_pending_reqs: -80 });
  for (const time of [4990, 5000]) await broken(time);
  clock.now = 5002;
  await loop.tick();
  // 4 req/s by what ended; one L40S serves 2.
  expect(replicas(board)).toMatchObject({ replicas: 2 });
  expect(problems.at(-1)).toContainEqual(expect.stringMatching(/^model m: its gateway does not count most arrivals/));
  for (clock.now = 5012; clock.now <= 5062; clock.now += 10) {
    await broken(clock.now - 2);
    held += 40;
    await loop.tick();
  }
  // As many again come and do not end: 8 req/s, and a backlog of more than a minute of it.
  expect((replicas(board) as { replicas: number }).replicas).toBeGreaterThanOrEqual(4);
});

describe('the other replicas', () => {
  test('are told before the board', async () => {
    const { clock, loop, told, board } = setUp();
    clock.now = 5002;
    await loop.tick();
    expect(told).toEqual([{ targets: 1, now: 5002, publishedAt: null }]);
    expect(board.publishedAt()).toBe(5002);
  });

  test('may have overtaken a tick: neither the board nor a router is told of it then, and why is said', async () => {
    const { clock, loop, board, routed, problems, overtake } = setUp();
    overtake('a later plan is stored');
    clock.now = 5002;
    await loop.tick();
    expect([board.publishedAt(), routed]).toEqual([null, []]);
    expect(problems.at(-1)).toContain('a later plan is stored');
    overtake(null);
    clock.now = 5012;
    await loop.tick();
    expect(board.publishedAt()).toBe(5012);
  });

  test('that cannot be told leave the board as it was', async () => {
    const { clock, loop, board, overtake } = setUp();
    overtake('broken');
    clock.now = 5002;
    await expect(loop.tick()).rejects.toThrow('broken');
    expect(board.publishedAt()).toBeNull();
  });
});
