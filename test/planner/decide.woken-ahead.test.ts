import { expect, test } from 'vitest';
import { emptyMemory, type Memory } from '../../src/planner/remember/tick-memory.ts';
import { busy, reading, run, targets, times, workload } from '../helpers/planner.ts';
import { nothing, record } from '../helpers/records.ts';

const day = 86_400;
const due = 20_000 * day;
const shape = [{ inputTokens: 1024, outputTokens: 64, share: 1 }];
/** 3 req/s came at the same time on each of three days. */
const memory: Memory = {
  ...emptyMemory,
  believed: {
    ...emptyMemory.believed,
    wakings: new Map([
      [
        'm',
        {
          ...{ idleFrom: due - 7200, idleAt: due - 610, began: null, shape },
          habits: [{ days: [-3, -2, -1].map((ago) => ({ at: due + ago * day, rate: 3 })), next: due }],
        },
      ],
    ]),
  },
};
const silent = (now: number) => times(now - 600, now - 2).map((time) => record(time, 0, {}));
const idleAt = (now: number, from: Memory, more = {}) =>
  run(reading(now, workload(now, { m: silent(now) }, { heartbeatAt: now - 2 })), from, more);

test('an idle model has replicas ahead of the time of day at which its traffic came, and says why', () => {
  const before = idleAt(due - 700, memory);
  expect(targets(before)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  expect(before.models[0]).toMatchObject({ state: 'idle', arrivalRate: null, forecast: null });
  // A startup of 600 s and a minute ahead: three req/s are two L40S, and the label of the H100 stands.
  const woken = idleAt(due - 600, memory);
  expect(targets(woken)).toEqual({ 'ns/h100': 1, 'ns/l40s': 2 });
  expect(woken.models[0]).toMatchObject({ state: 'idle', arrivalRate: 3, forecast: { method: 'time of day', rate: 3 } });
  expect(woken.models[0]!.reason).toContain('woken ahead: traffic came at this time on 3 of 3 days');
});

test('where nothing comes it goes back to its label at once, and where it was switched off it stays there', () => {
  const woken = idleAt(due - 600, memory);
  expect(targets(idleAt(due + 130, woken.memory))).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  const off = idleAt(due - 600, memory, { wakeAhead: false });
  expect(targets(off)).toEqual({ 'ns/h100': 1, 'ns/l40s': 0 });
  expect(off.memory.believed.wakings.size).toBe(0);
});

test('what is not known to be idle is not woken, and of a model with traffic the plan is the same', () => {
  const unproven = [record(due - 1200, 0, {}), ...times(due - 1190, due - 602).map(nothing)];
  const stale = run(reading(due - 600, workload(due - 600, { m: unproven })), memory);
  expect(stale.models[0]).toMatchObject({ state: 'stale', arrivalRate: null });
  const records = { m: busy(due - 1190, due - 602) };
  const now = reading(due - 600, workload(due - 600, records));
  const [known, unknown] = [run(now, memory), run(now, emptyMemory)];
  expect(known.plan).toEqual(unknown.plan);
  expect(known.targets).toEqual(unknown.targets);
  expect(unknown.memory.believed.wakings.size).toBe(0);
});
