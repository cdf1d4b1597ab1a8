import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/serve-config.ts';
import { decide, type PlannerSettings, type Reading } from '../../src/planner/decide.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { routerKnowledgeNow } from '../../src/planner/plan/router-knowledge.ts';
import { tickWork } from '../../src/planner/plan/work-limit.ts';
import { emptyMemory, type Memory } from '../../src/planner/remember/tick-memory.ts';
import type { Interval, Workload } from '../../src/workload/workload.ts';
import { deployment } from '../helpers/deployments.ts';
import { reading as readingOf, workload as workloadOf } from '../helpers/planner.ts';
import { nothing, record } from '../helpers/records.ts';

const settings: PlannerSettings = { ...readConfig([], {}), prices: { H100: 4, L40S: 1 }, keepSnapshot: true };
const deployments = ['h100', 'l40s'].map((name) => deployment(name, { gpu: name.toUpperCase(), replicas: 0 }));
const times = Array.from({ length: 60 }, (_, index) => 1410 + 10 * index);
const workload = (intervals: readonly Interval[], more: Partial<Workload>): Workload =>
  workloadOf(2002, { m: intervals }, { heartbeatAt: 2000, ...more });
const reading = (given: Workload): Reading =>
  readingOf(2002, given, { deployments: new Map(deployments.map((one) => [`ns/${one.name}`, one])), ready: new Map() });
const run = (given: Workload, memory: Memory = emptyMemory) => decide(reading(given), memory, settings, tickWork, planOf);
const targets = (decided: ReturnType<typeof run>) =>
  Object.fromEntries(
    decided.targets.map(({ deployment: name, decision }) => [name, 'replicas' in decision ? decision.replicas : null]),
  );
const held = (requests: number) => [
  { model: 'm', at: 2001, requests, inputTokens: 1024 * requests, outputTokens: 64 * requests },
];

describe('requests that a gateway holds for a model at zero', () => {
  const silent = times.map((time) => record(time, 0, {}));

  test('wake it at once, where it was idle', () => {
    const idle = run(workload(silent, {}));
    expect(targets(idle)).toEqual({ h100: 0, l40s: 0 });
    const awake = run(workload(silent, { held: held(3) }), idle.memory);
    expect(awake.models[0]).toMatchObject({
      state: 'fresh',
      reason: '3 requests wait in the gateway for a replica',
      cannotWake: false,
    });
    expect(targets(awake)).toEqual({ h100: 0, l40s: 1 });
  });

  test('wake it where nothing was ever known of it', () => {
    const given = workload(times.map(nothing), { held: held(1) });
    expect(targets(run(given))).toEqual({ h100: 0, l40s: 1 });
  });

  test('are worked off within the time for backlogs', () => {
    const many = run(workload(silent, { held: held(1200) }));
    // 1,200 in 120 s and 7 % for chance: 10.7 req/s, for which one H100 and two L40S are cheapest.
    expect(targets(many)).toEqual({ h100: 1, l40s: 2 });
  });

  test('of another model change nothing', () => {
    const other = held(3).map((one) => ({ ...one, model: 'other' }));
    expect(targets(run(workload(silent, { held: other })))).toEqual({ h100: 0, l40s: 0 });
  });

  test('are not believed while Redis cannot be read', () => {
    const idle = run(workload(silent, {}));
    const old = { ...workload(silent, { held: held(3) }), now: 1990 };
    expect(targets(run(old, idle.memory))).toEqual({ h100: 0, l40s: 0 });
  });
});

test.each([
  { routerKnowledge: 'auto', heartbeatAt: 1403, found: 'input' },
  { routerKnowledge: 'auto', heartbeatAt: 1402, found: 'load' },
  { routerKnowledge: 'auto', heartbeatAt: null, found: 'load' },
  { routerKnowledge: 'size', heartbeatAt: null, found: 'size' },
] as const)('routing $routerKnowledge with a heartbeat at $heartbeatAt is $found', ({ routerKnowledge, heartbeatAt, found }) => {
  const given = { now: 2002, workload: workload([], { heartbeatAt }) };
  expect(routerKnowledgeNow({ routerKnowledge, otherRouterKnowledge: 'load' }, given)).toBe(found);
});
