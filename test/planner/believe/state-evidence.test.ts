import { describe, expect, test } from 'vitest';
import type { ModelGroup } from '../../../src/planner/believe/model-groups.ts';
import { type StateReading, stateReader } from '../../../src/planner/believe/state-evidence.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import type { Interval, Workload } from '../../../src/workload/workload.ts';
import { deployment } from '../../helpers/deployments.ts';
import { nothing, record } from '../../helpers/records.ts';

const settings = { idleAfterSeconds: 240, settleSeconds: 2, trustSilence: false };
const group: ModelGroup = { name: 'm', deployments: [deployment('a')], aliases: ['m', 'alias'], arrivalShare: 1 };
const times = Array.from({ length: 60 }, (_, index) => 1410 + 10 * index);
const busy = times.map((time) => record(time, 5));
/** The last record is of 1500; of what came later nothing was found. */
const silent = times.map((time) => (time <= 1500 ? record(time, 5) : nothing(time)));
const workload = (names: Readonly<Record<string, readonly Interval[]>>, more: Partial<Workload> = {}): Workload => ({
  now: 2002,
  names: new Map(
    Object.entries(names).map(([name, intervals]) => [
      name,
      { intervals, intervalSeconds: 10, lastRecordAt: intervals.findLast(({ found }) => found === 'record')?.time ?? null },
    ]),
  ),
  writableSince: 0,
  lostUntil: Number.NEGATIVE_INFINITY,
  writeProblem: null,
  heartbeatAt: null,
  problems: [],
  ...more,
});
const stateOf = (
  given: Workload | null,
  more: Partial<StateReading> = {},
  decisions: ReadonlyMap<string, Decision> = new Map(),
) => {
  const reading = { now: 2002, workload: given, gatewayUnchangedSince: null, engines: new Map(), unsynced: [], ...more };
  const { conclusion, dataAt } = stateReader(reading, decisions, settings)(group, []);
  return { state: conclusion.state, reason: conclusion.reason, dataAt };
};
const decided = new Map([['ns/a', { replicas: 3, asOf: 1200 }]]);

describe('before everything was read once', () => {
  test('missing, with what has not been read', () => {
    expect(stateOf(workload({ m: busy }), { unsynced: ['no Pods yet', 'no Nodes yet'] })).toEqual({
      state: 'missing',
      reason: 'no Pods yet; no Nodes yet',
      dataAt: null,
    });
    expect(stateOf(null)).toEqual({ state: 'missing', reason: 'Redis has not been read yet', dataAt: null });
  });

  test('what was decided once stands as a stale plan does, by its own age', () => {
    expect(stateOf(null, {}, decided)).toMatchObject({ state: 'stale', dataAt: 1200 });
    expect(stateOf(workload({}), {}, decided)).toMatchObject({ state: 'stale', dataAt: 1200 });
  });
});

describe('what is known of a model', () => {
  test('data are as old as the newest record under any of its names', () => {
    expect(stateOf(workload({ m: silent, alias: busy }))).toMatchObject({ state: 'fresh', dataAt: 2000 });
    expect(stateOf(workload({ m: silent }))).toMatchObject({ state: 'stale', dataAt: 1500 });
  });

  test('records of another model make its silence credible, those under its own other name do not', () => {
    expect(stateOf(workload({ m: silent, another: busy }))).toMatchObject({
      state: 'idle',
      reason: 'no request for 500 s; the gateway writes records of another model',
    });
    expect(stateOf(workload({ m: silent, alias: silent })).state).toBe('stale');
  });

  test('the engines of its own Deployments make it credible too', () => {
    const quiet = { quietSince: 1400, busyAt: null, sample: null };
    expect(stateOf(workload({ m: silent }), { engines: new Map([['ns/a', quiet]]) }).state).toBe('idle');
    expect(stateOf(workload({ m: silent }), { engines: new Map([['ns/other', quiet]]) }).state).toBe('stale');
  });

  test('of what was read at an earlier tick no new plan is made', () => {
    const unread = workload({ m: busy }, { now: 1999 });
    const quiet = { state: 'quiet', dataAt: 2000 };
    expect(stateOf(unread, {}, decided)).toEqual({ ...quiet, reason: 'Redis was not read; the last plan stands' });
    expect(stateOf(unread)).toEqual({ ...quiet, reason: 'Redis was not read; there is no plan yet' });
  });
});

describe('requests that a gateway holds', () => {
  const held = (model: string) => [{ model, at: 2001, requests: 7, inputTokens: 700, outputTokens: 70 }];

  test('are data of now, whatever the records say', () => {
    expect(stateOf(workload({ m: silent }, { held: held('alias') }))).toEqual({
      state: 'fresh',
      reason: '7 requests wait in the gateway for a replica',
      dataAt: 2001,
    });
  });

  test('of another model are not', () => {
    expect(stateOf(workload({ m: silent }, { held: held('another') }))).toMatchObject({ state: 'stale', dataAt: 1500 });
  });
});
