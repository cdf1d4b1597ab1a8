import { decide, type PlannerSettings, type Reading } from '../../src/planner/decide.ts';
import { type MoveMemory, nothingMoved } from '../../src/planner/move/move.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { tickWork } from '../../src/planner/plan/work-limit.ts';
import { emptyMemory, type Memory } from '../../src/planner/remember/tick-memory.ts';
import type { Interval, Workload } from '../../src/workload/workload.ts';
import { deployment, foundProfile } from './deployments.ts';
import { record } from './records.ts';

export const settings: PlannerSettings = {
  windowSeconds: 60,
  shapeWindowSeconds: 240,
  startupSeconds: 600,
  backlogSeconds: 120,
  headroom: 0,
  attainment: null,
  holdDownSeconds: 0,
  switchSavings: 0,
  // In most of these tests replicas stay as they are.
  followAfterSeconds: 1e9,
  growAtOnce: 3,
  idleAfterSeconds: 240,
  settleSeconds: 2,
  staleAfterSeconds: 300,
  trustSilence: false,
  wakeAhead: true,
  poolNamespaces: false,
  routerKnowledge: 'size',
  budget: null,
  prices: { H100: 4, L40S: 1 },
  nodeLimit: 100_000,
  keepSnapshot: true,
};
export const times = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, (to - from) / 10 + 1) }, (_, index) => from + 10 * index);
/** 30 arrivals and completions of 1024 in, 64 out in each interval: 3 req/s. */
export const busy = (from: number, to: number): Interval[] => times(from, to).map((time) => record(time, 30, { '100:60': 30 }));

export const workload = (
  now: number,
  names: Readonly<Record<string, readonly Interval[]>>,
  more: Partial<Workload> = {},
): Workload => ({
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
export const deployments = [deployment('h100', { gpu: 'H100', idleReplicas: 1 }), deployment('l40s', { gpu: 'L40S' })];
export const reading = (now: number, given: Workload | null, more: Partial<Reading> = {}): Reading => ({
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
export const decidedBefore = (decisions: MoveMemory['decisions'], wanted: MoveMemory['wanted'] = new Map()): Memory => ({
  ...emptyMemory,
  moved: { ...nothingMoved, decisions, wanted },
});
export const run = (given: Reading, memory: Memory = emptyMemory, more: Partial<PlannerSettings> = {}) =>
  decide(given, memory, { ...settings, ...more }, tickWork, planOf);
export const targets = (decided: ReturnType<typeof run>) =>
  Object.fromEntries(
    decided.targets.map(({ namespace, deployment: name, decision }) => [
      `${namespace}/${name}`,
      'replicas' in decision ? decision.replicas : decision.unavailable,
    ]),
  );

export const steady = run(reading(2002, workload(2002, { m: busy(1410, 2000) })));
