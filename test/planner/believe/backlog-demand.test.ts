import { describe, expect, test } from 'vitest';
import { decidedReplicas, rateForBacklog } from '../../../src/planner/believe/backlog-demand.ts';
import type { ReplicaPod } from '../../../src/planner/believe/startups.ts';
import { l40sCandidate } from '../../helpers/candidates.ts';

describe('what is planned for beyond arrivals where requests wait', () => {
  const serving = (replicas: number) => Array.from({ length: replicas }, () => ({ readyInSeconds: 0, rate: 2 }));
  const rateFor = (more: Partial<Parameters<typeof rateForBacklog>[0]>) =>
    rateForBacklog({
      ...{ backlog: 240, rate: 10, headroom: 0, replicas: serving(5), startupSeconds: 100, backlogSeconds: 120 },
      ...more,
    });

  test('nothing where none waits', () => {
    expect(rateFor({ backlog: 0, replicas: serving(9) })).toBe(0);
  });

  test('what remains in a startup, in half as much time again as that in which what waits now would be worked off', () => {
    expect(rateFor({})).toBeCloseTo(240 / 180, 9);
    expect(rateFor({ headroom: 1, replicas: [...serving(5), { readyInSeconds: 40, rate: 2 }] })).toBeCloseTo(120 / 180, 9);
  });

  test('nothing more than runs and starts where that works all off until then', () => {
    expect(rateFor({ headroom: 0.2, replicas: serving(7) })).toBeCloseTo(14 / 1.2 - 10, 9);
    expect(rateFor({ headroom: 0.5, replicas: serving(7) })).toBe(0);
  });

  test('no more than what waits now, whatever may come meanwhile and however much runs', () => {
    expect(rateFor({ replicas: serving(1) })).toBe(2);
    expect(rateFor({ replicas: serving(20) })).toBe(2);
  });

  test('what waits now where nothing is asked for yet', () => {
    expect(rateFor({ rate: 0, replicas: [] })).toBe(2);
  });
});

describe('the replicas that are asked for', () => {
  const candidate = l40sCandidate({ replicas: 4, ready: 1 });
  const pod = (createdAt: number, more: Partial<ReplicaPod> = {}): ReplicaPod => ({
    ...{ name: 'p', createdAt, ready: false, readinessAt: null, placedAt: null, unschedulable: false },
    ...more,
  });
  const readyIn = (pods: readonly ReplicaPod[] | undefined, decided?: number) =>
    decidedReplicas(
      {
        candidates: [candidate],
        decisions: new Map(decided === undefined ? [] : [['ns/a', { replicas: decided } as never]]),
        pods: pods && new Map([['ns/a', pods]]),
      },
      [0.5],
      100,
      1000,
    ).map(({ readyInSeconds, rate }) => {
      expect(rate).toBe(2);
      return readyInSeconds;
    });

  test('serve now, or once their pods are as old as a startup, the oldest first', () => {
    expect(readyIn([pod(950), pod(100, { ready: true }), pod(920)])).toEqual([0, 20, 50, 100]);
  });

  test('take a whole startup where no pod is known', () => {
    expect(readyIn(undefined)).toEqual([0, 100, 100, 100]);
  });

  test('are those that were decided last, whatever else runs still', () => {
    expect(readyIn([pod(950)], 2)).toEqual([0, 50]);
    expect(readyIn([pod(950)], 0)).toEqual([]);
  });

  test('are as late again as they are late, and a startup where there is no place', () => {
    expect(readyIn([pod(870), pod(500), pod(950, { unschedulable: true })])).toEqual([0, 30, 100, 100]);
  });
});
