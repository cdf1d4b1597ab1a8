import { describe, expect, test } from 'vitest';
import { conclude, type Evidence } from '../../../src/planner/believe/model-states.ts';
import type { Interval } from '../../../src/workload/workload.ts';
import { nothing, record } from '../../helpers/records.ts';

const settings = { idleAfterSeconds: 240, settleSeconds: 2 };
const last = (intervals: readonly Interval[]) => intervals.findLast(({ found }) => found === 'record')?.time ?? null;
const evidence = (intervals: readonly Interval[], more: Partial<Evidence> = {}): Evidence => ({
  now: 2002,
  intervalsByName: [intervals],
  intervalSeconds: 10,
  lastRecordAt: last(intervals),
  writableSince: 0,
  heartbeatAt: null,
  otherModelAt: null,
  gatewayUnchangedSince: null,
  engines: null,
  longestRequestSeconds: null,
  trustSilence: false,
  ...more,
});
/** Activity up to `until`, then nothing found up to 2000. */
const silentAfter = (until: number, lastFields = {}): readonly Interval[] => [
  ...times(1410, until - 10).map((time) => record(time, 5)),
  record(until, 5, lastFields),
  ...times(until + 10, 2000).map(nothing),
];
const times = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, (to - from) / 10 + 1) }, (_, index) => from + 10 * index);
const state = (given: Evidence) => conclude(given, settings).state;

describe('fresh, quiet, missing', () => {
  test('records of late with requests: fresh', () => {
    expect(state(evidence(silentAfter(2000)))).toBe('fresh');
    expect(state(evidence(silentAfter(1970)))).toBe('fresh');
  });

  test('no record ever: missing, whatever makes silence credible', () => {
    expect(state(evidence(times(1410, 2000).map(nothing), { lastRecordAt: null, heartbeatAt: 2000, trustSilence: true }))).toBe(
      'missing',
    );
  });

  test('empty records, not yet long enough: fresh while something happened within idleAfter, then idle', () => {
    const quietSince = (since: number) => [record(since, 5), ...times(since + 10, 2000).map((time) => record(time, 0))];
    expect(state(evidence(quietSince(1770)))).toBe('fresh');
    expect(state(evidence(quietSince(1760)))).toBe('idle');
  });

  test('silence that is credible but short: quiet', () => {
    expect(state(evidence(silentAfter(1900), { heartbeatAt: 2000 }))).toBe('quiet');
  });

  test('requests in flight are activity', () => {
    const waiting = [record(1700, 5), ...times(1710, 2000).map((time) => record(time, 0, { meta_pending_reqs: 3 }))];
    expect(state(evidence(waiting))).toBe('fresh');
    const queueing = [record(1700, 5), ...times(1710, 2000).map((time) => record(time, 0, { meta_queueing_reqs: 1 }))];
    expect(state(evidence(queueing))).toBe('fresh');
  });
});

describe('idle needs a credible silence', () => {
  const silent = silentAfter(1750);

  test.each([
    ["a gateway's heartbeat", { heartbeatAt: 2000 }],
    ['records of another model', { otherModelAt: 2000 }],
    ['gateway pods unchanged since before the last record, which left nothing pending', { gatewayUnchangedSince: 1700 }],
    ['the setting', { trustSilence: true }],
  ])('%s', (_name, more) => {
    expect(state(evidence(silent, more))).toBe('idle');
  });

  test.each([
    ['nothing', {}],
    ['an old heartbeat', { heartbeatAt: 1900 }],
    ['old records of another model', { otherModelAt: 1900 }],
    ['gateway pods that changed after the last record', { gatewayUnchangedSince: 1760 }],
    ['a heartbeat, but our own write fails', { heartbeatAt: 2000, writableSince: null }],
    ['trust, but our own write fails', { trustSilence: true, writableSince: null }],
  ])('not %s: stale', (_name, more) => {
    const { state: found, reason } = conclude(evidence(silent, more), settings);
    expect(found).toBe('stale');
    expect(reason).toMatch(
      /^no request record for 252 s; (our own write to Redis does not succeed|nothing makes the silence credible)/,
    );
  });

  test('not unchanged gateway pods where the last record left requests pending', () => {
    expect(state(evidence(silentAfter(1750, { meta_pending_reqs: 1 }), { gatewayUnchangedSince: 1700 }))).toBe('stale');
  });

  test('where the records do not say what is pending: unchanged gateway pods, and twice the longest request is over', () => {
    const unknown = silent.map((one) => (one.found === 'record' ? { ...one, record: { ...one.record, pending: null } } : one));
    const since = (longestRequestSeconds: number | null) =>
      conclude(evidence(unknown, { gatewayUnchangedSince: 1700, longestRequestSeconds }), settings);
    expect(since(120)).toMatchObject({
      state: 'idle',
      reason:
        'no request for 250 s; the gateway pods are Ready and the same since the last record, and the longest request that was seen, 120 s, is over since then',
    });
    expect(since(130).state).toBe('stale');
    expect(since(null)).toMatchObject({
      state: 'stale',
      reason:
        'no request record for 252 s; the records do not say what is pending, and no profile says how long requests take (e2e), so that one may still run',
    });
  });

  test('the engines’ own word, from when they were first heard', () => {
    const heard = (quietSince: number | null) => ({ engines: { quietSince, busyAt: null, sample: null } });
    expect(state(evidence(silent, heard(1750)))).toBe('idle');
    expect(state(evidence(silent, heard(1755)))).toBe('idle');
    expect(state(evidence(silent, heard(1765)))).toBe('quiet');
    expect(state(evidence(silent, heard(null)))).toBe('stale');
    expect(state(evidence(silent, { ...heard(1750), writableSince: null }))).toBe('stale');
    // What makes the whole silence credible is not cut short by engines that were heard later.
    expect(state(evidence(silent, { ...heard(1990), heartbeatAt: 2000 }))).toBe('idle');
  });

  test('engines that had a request of late veto idle, whatever the records say', () => {
    const busyAt = (time: number) => ({
      heartbeatAt: 2000,
      engines: { quietSince: null, busyAt: time, sample: null },
    });
    expect(conclude(evidence(silent, busyAt(1990)), settings)).toMatchObject({
      state: 'quiet',
      reason: 'no request for 250 s by the records, but its engines had one 12 s ago',
    });
    expect(state(evidence(silent, busyAt(1750)))).toBe('idle');
  });

  test('silence before our own write succeeded does not count', () => {
    expect(state(evidence(silent, { heartbeatAt: 2000, writableSince: 1750 }))).toBe('idle');
    expect(state(evidence(silent, { heartbeatAt: 2000, writableSince: 1770 }))).toBe('quiet');
  });

  test('a broken record in the silence starts the count anew', () => {
    const broken = silent.map((interval): Interval => (interval.time === 1900 ? { time: 1900, found: 'broken' } : interval));
    expect(state(evidence(broken, { heartbeatAt: 2000 }))).toBe('quiet');
  });

  test('a model with several names is idle only when all are', () => {
    const busy = silentAfter(1900);
    expect(state(evidence(silent, { intervalsByName: [silent, busy], lastRecordAt: 1900, heartbeatAt: 2000 }))).toBe('quiet');
    expect(state(evidence(silent, { intervalsByName: [silent, times(1410, 2000).map(nothing)], heartbeatAt: 2000 }))).toBe(
      'idle',
    );
  });
});
