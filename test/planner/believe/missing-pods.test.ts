import { describe, expect, test } from 'vitest';
import { attainableReplicas, type Outage, outageAfter, podCount } from '../../../src/planner/believe/missing-pods.ts';
import type { ReplicaPod } from '../../../src/planner/believe/startups.ts';

const patience = 100;
const pod = (name: string, more: Partial<ReplicaPod> = {}): ReplicaPod => ({
  ...{ name, createdAt: 0, ready: false, readinessAt: null, placedAt: null, unschedulable: false },
  ...more,
});
const ready = (name: string, readinessAt = 0) => pod(name, { ready: true, readinessAt, placedAt: 0 });
const nowhere = (name: string, createdAt = 0) => pod(name, { createdAt, unschedulable: true });
const count = (pods: readonly ReplicaPod[], now: number, outage: Outage | null = null) => podCount(pods, patience, outage, now);
const next = (outage: Outage | null, pods: readonly ReplicaPod[], now: number) =>
  outageAfter(outage, count(pods, now, outage), now);

describe('pods', () => {
  test('count until their startup time is over, then not, whatever the cause', () => {
    const pods = [ready('a'), nowhere('b'), pod('c', { placedAt: 0 })];
    expect(count(pods, 100)).toMatchObject({ attainable: 3, startingCount: 2, moreWouldNotCome: false });
    expect(count(pods, 101)).toMatchObject({ attainable: 1, startingCount: 0, late: new Set(['b', 'c']) });
  });

  test('start anew when they are placed, and when they cease to be Ready', () => {
    expect(count([pod('a', { placedAt: 500 })], 600).late.size).toBe(0);
    expect(count([pod('a', { placedAt: 500 })], 601).late.size).toBe(1);
    expect(count([pod('a', { placedAt: 0, readinessAt: 700 })], 800).late.size).toBe(0);
  });

  test('without a place say that there is no stock, also while others run', () => {
    expect(count([ready('a', 150), nowhere('b')], 200).moreWouldNotCome).toBe(true);
  });

  test('with a place that do not come say so only if none has come since they started', () => {
    const stuck = pod('b', { placedAt: 50 });
    expect(count([ready('a', 20), stuck], 200).moreWouldNotCome).toBe(true);
    expect(count([ready('a', 60), stuck], 200).moreWouldNotCome).toBe(false);
    expect(count([stuck], 200).moreWouldNotCome).toBe(true);
  });
});

describe('an outage', () => {
  const begun = next(null, [ready('a'), nowhere('b')], 101)!;

  test('begins with a late pod, and caps at what runs or still comes', () => {
    expect(next(null, [ready('a'), nowhere('b')], 100)).toBeNull();
    expect(begun).toEqual({ attainable: 1, failures: 1, retryAt: 401 });
    expect(attainableReplicas(begun, 400)).toBe(1);
    expect(attainableReplicas(begun, 401)).toBeNull();
    expect(attainableReplicas(null, 0)).toBeNull();
    expect(
      attainableReplicas(next(begun, [ready('a'), nowhere('b'), pod('c', { createdAt: 150, placedAt: 150 })], 160), 160),
    ).toBe(2);
  });

  test('is over at once when the pod that waited gets its place', () => {
    expect(next(begun, [ready('a'), pod('b', { placedAt: 190 })], 200)).toBeNull();
  });

  test('is not over because the pod is gone, or another waits no longer', () => {
    expect(next(begun, [ready('a')], 200)).toMatchObject({ failures: 1, retryAt: 401 });
    expect(next(begun, [ready('a'), pod('b', { placedAt: 190 }), nowhere('c')], 200)).not.toBeNull();
  });

  test('is tried again: nobody is late for what was before', () => {
    const trial = next(begun, [ready('a'), nowhere('b')], 401)!;
    expect(attainableReplicas(trial, 401)).toBeNull();
    expect(next(trial, [ready('a'), nowhere('b')], 501)).toEqual(trial);
  });

  test('with pauses of 5, 10, 20, 40 and 60 minutes', () => {
    let [outage, now] = [begun, 101];
    const pauses: number[] = [];
    for (let tries = 0; tries < 6; tries += 1) {
      pauses.push(outage.retryAt - now);
      now = outage.retryAt + patience + 1;
      outage = next(outage, [ready('a'), nowhere('b')], now)!;
    }
    expect(pauses).toEqual([300, 600, 1200, 2400, 3600, 3600]);
  });

  test('is over when it was tried again and what was asked for came', () => {
    expect(next(begun, [ready('a'), ready('b')], 450)).toBeNull();
  });

  test('of which nobody asks for more is remembered for an hour', () => {
    expect(next(begun, [ready('a')], 450)).toEqual(begun);
    expect(next(begun, [], 4000)).toEqual(begun);
    expect(next(begun, [nowhere('b', 3900)], 4000)).toEqual(begun);
    expect(next(begun, [nowhere('b', 3800)], 4000)).toMatchObject({ failures: 2, retryAt: 4600 });
    expect(next(begun, [], 4001)).toBeNull();
  });
});
