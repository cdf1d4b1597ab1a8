import { describe, expect, test } from 'vitest';
import { behavioursNow, type DeploymentReading, type ScalingBehaviour } from '../../../src/planner/believe/scaling-behaviour.ts';
import { noStartups, type ReplicaPod } from '../../../src/planner/believe/startups.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { deployment } from '../../helpers/deployments.ts';

const settings = { startupSeconds: 120, followAfterSeconds: 300 };
const now = 1000;
const readyPod: ReplicaPod = {
  name: 'a-1',
  createdAt: 0,
  ready: true,
  readinessAt: 60,
  placedAt: 0,
  unschedulable: false,
};
const podsMissing: ScalingBehaviour = {
  startups: { ...noStartups, seconds: [30, 40, 50] },
  outage: { attainable: 0, failures: 1, retryAt: now + 100 },
  following: null,
};
const behaviourOf = (
  one = deployment('a'),
  more: Partial<DeploymentReading> = {},
  decision?: Decision,
  before?: ScalingBehaviour,
): ScalingBehaviour =>
  behavioursNow(
    { now, deployments: new Map([['ns/a', one]]), ...more },
    new Map(decision ? [['ns/a', decision]] : []),
    new Map(before ? [['ns/a', before]] : []),
    settings,
  ).get('ns/a')!;
const podsOfA = (...pods: ReplicaPod[]) => ({ pods: new Map([['ns/a', pods]]) });

describe('behaviour', () => {
  test('an outage ends where pods are no longer looked at, and the startup times stay', () => {
    const { outage, startups } = behaviourOf(deployment('a'), {}, undefined, podsMissing);
    expect(outage).toBe(null);
    expect(startups.seconds).toEqual([30, 40, 50]);
  });

  test('a refusal of Kubernetes is no outage while every replica has its pod', () => {
    const refused = { podsRefused: 'exceeded quota' };
    expect(behaviourOf(deployment('a', refused), podsOfA(readyPod)).outage).toBe(null);
    expect(behaviourOf(deployment('a', { ...refused, replicas: 2 }), podsOfA(readyPod)).outage).toMatchObject({ attainable: 1 });
  });

  test('a decision of an earlier leader is not expected to be followed', () => {
    expect(behaviourOf(deployment('a'), {}, { replicas: 3, asOf: 0, restored: true }).following).toBe(null);
    expect(behaviourOf(deployment('a'), {}, { replicas: 3, asOf: 0 }).following).toMatchObject({ rising: true, since: now });
  });

  test('a Deployment that is gone is not remembered', () => {
    const reading = { now, deployments: new Map([['ns/b', deployment('b')]]) };
    expect([...behavioursNow(reading, new Map(), new Map([['ns/a', podsMissing]]), settings).keys()]).toEqual(['ns/b']);
  });
});
