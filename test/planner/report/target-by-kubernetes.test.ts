import { describe, expect, test } from 'vitest';
import { targetByKubernetes } from '../../../src/planner/report/target-by-kubernetes.ts';
import type { Target } from '../../../src/vocabulary/target.ts';
import { deployment } from '../../helpers/deployments.ts';

const now = 1000;
const target = (decision: Target['decision'], standing = { replicas: 3, asOf: 900 }): Target => ({
  ...{ namespace: 'ns', deployment: 'a', labels: {} },
  ...{ decision, standing },
});
const bounds = { minReplicas: 2, maxReplicas: 5 };
const decisionOf = (decision: Target['decision'], one = deployment('a'), given: typeof bounds | undefined = bounds) =>
  targetByKubernetes(target(decision), one, given, now).decision;

describe('bounds', () => {
  test('a decision is raised to the minimum, cut at the maximum, and keeps the age of its data', () => {
    expect(decisionOf({ replicas: 1, asOf: 900 })).toEqual({ replicas: 2, asOf: 900 });
    expect(decisionOf({ replicas: 9, asOf: 900 })).toEqual({ replicas: 5, asOf: 900 });
  });

  test('without bounds, or without a maximum, a decision stays what it is', () => {
    const decision = { replicas: 9, asOf: 900 };
    expect(targetByKubernetes(target(decision), deployment('a'), undefined, now).decision).toBe(decision);
    const noMaximum = { minReplicas: 2, maxReplicas: null };
    expect(targetByKubernetes(target(decision), deployment('a'), noMaximum, now).decision).toBe(decision);
  });

  test('what is unavailable stays so, while what stands for it is bound', () => {
    const given = target({ unavailable: 'stale' }, { replicas: 9, asOf: 900 });
    expect(targetByKubernetes(given, deployment('a'), bounds, now)).toMatchObject({
      decision: { unavailable: 'stale' },
      standing: { replicas: 5, asOf: 900 },
    });
  });
});

describe('idle models', () => {
  const idle = { replicas: 0, asOf: 900, idle: true };

  test('a minimum of an autoscaler does not wake them', () => {
    expect(decisionOf(idle)).toEqual(idle);
  });

  test('they follow their label as it is now', () => {
    expect(decisionOf(idle, deployment('a', { idleReplicas: 1 }))).toEqual({ ...idle, replicas: 1 });
    expect(decisionOf({ replicas: 3, asOf: 900 }, deployment('a', { idleReplicas: 1 }))).toEqual({ replicas: 3, asOf: 900 });
  });

  test('a label that cannot be read leaves them without an answer', () => {
    const unread = deployment('a', { idleReplicas: null, problem: 'no integer' });
    expect(decisionOf(idle, unread)).toEqual({ unavailable: 'no integer' });
    expect(decisionOf({ replicas: 3, asOf: 900 }, unread)).toEqual({ replicas: 3, asOf: 900 });
  });
});

describe('what somebody fixed', () => {
  test('a pin goes beyond the bounds, and its data is of now', () => {
    const pinned = deployment('a', { pin: { replicas: 9, until: null } });
    expect(decisionOf({ unavailable: 'stale' }, pinned)).toEqual({ replicas: 9, asOf: now, pinned: true });
  });

  test('a pause says what of its annotations cannot be read, and what runs stands', () => {
    const paused = deployment('a', { paused: true, replicas: 7, problem: 'neither true nor false' });
    expect(targetByKubernetes(target({ replicas: 3, asOf: 900 }), paused, bounds, now)).toMatchObject({
      decision: { unavailable: 'paused by the annotation gpumix.io/paused (neither true nor false)' },
      standing: { replicas: 7, asOf: now },
    });
  });
});
