import { describe, expect, test } from 'vitest';
import {
  behavioursNow,
  type DeploymentBehaviour,
  type DeploymentReading,
  variantReports,
} from '../../../src/planner/believe/deployment-behaviour.ts';
import { noStartups, type ReplicaPod } from '../../../src/planner/believe/startups.ts';
import type { Decision } from '../../../src/vocabulary/target.ts';
import { candidate } from '../../helpers/beliefs.ts';
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
const outOfStock: DeploymentBehaviour = {
  startups: { ...noStartups, seconds: [30, 40, 50] },
  outage: { gives: 0, failures: 1, retryAt: now + 100 },
  following: null,
};
const behaviourOf = (
  one = deployment('a'),
  more: Partial<DeploymentReading> = {},
  decision?: Decision,
  before?: DeploymentBehaviour,
): DeploymentBehaviour =>
  behavioursNow(
    { now, deployments: new Map([['ns/a', one]]), ...more },
    new Map(decision ? [['ns/a', decision]] : []),
    new Map(before ? [['ns/a', before]] : []),
    settings,
  ).get('ns/a')!;
const podsOfA = (...pods: ReplicaPod[]) => ({ pods: new Map([['ns/a', pods]]) });

describe('behaviour', () => {
  test('an outage ends where pods are no longer looked at, and the startup times stay', () => {
    const { outage, startups } = behaviourOf(deployment('a'), {}, undefined, outOfStock);
    expect(outage).toBe(null);
    expect(startups.seconds).toEqual([30, 40, 50]);
  });

  test('a refusal of Kubernetes is no outage while every replica has its pod', () => {
    const refused = { podsRefused: 'exceeded quota' };
    expect(behaviourOf(deployment('a', refused), podsOfA(readyPod)).outage).toBe(null);
    expect(behaviourOf(deployment('a', { ...refused, replicas: 2 }), podsOfA(readyPod)).outage).toMatchObject({ gives: 1 });
  });

  test('a decision of an earlier leader is not expected to be followed', () => {
    expect(behaviourOf(deployment('a'), {}, { replicas: 3, asOf: 0, restored: true }).following).toBe(null);
    expect(behaviourOf(deployment('a'), {}, { replicas: 3, asOf: 0 }).following).toMatchObject({ rising: true, since: now });
  });

  test('a Deployment that is gone is not remembered', () => {
    const reading = { now, deployments: new Map([['ns/b', deployment('b')]]) };
    expect([...behavioursNow(reading, new Map(), new Map([['ns/a', outOfStock]]), settings).keys()]).toEqual(['ns/b']);
  });
});

describe('reports', () => {
  const one = deployment('a');
  const report = (demand: Parameters<typeof variantReports>[2], behaviour: DeploymentBehaviour, profiled = true) =>
    variantReports(
      [one],
      profiled ? [candidate('a')] : [],
      demand,
      { now, deployments: new Map([['ns/a', one]]), profileProblems: new Map([['ns/a', 'held']]) },
      new Map(),
      new Map([['ns/a', behaviour]]),
      settings,
    )[0]!;
  const demand = [
    { inputTokens: 1024, outputTokens: 64, arrivalRate: 3 },
    { inputTokens: 4096.4, outputTokens: 64, arrivalRate: 1 },
  ];
  const well = { startups: noStartups, outage: null, following: null };

  test('what lies beyond the grid is said with its share and its largest size in whole tokens', () => {
    const { extrapolatedShare, beyondGrid } = report(demand, well);
    expect(extrapolatedShare).toBe(0.25);
    expect(beyondGrid).toEqual({ share: 0.25, largest: '4096 + 64 tokens' });
  });

  test('nothing is said of the grid without a plan or without a profile', () => {
    expect(report(null, well)).toMatchObject({ extrapolatedShare: null, beyondGrid: null });
    expect(report(demand, well, false)).toMatchObject({ extrapolatedShare: null, beyondGrid: null });
  });

  test('an outage, a target that is not followed and a problem of the profile are each said', () => {
    const following = { replicas: 1, rising: true, since: 0, unfollowedUntil: 1300, spec: null };
    expect(report(demand, { ...outOfStock, following })).toMatchObject({
      deployment: 'ns/a',
      startupSeconds: 50,
      outOfStock: true,
      notFollowed: true,
      triedAgainAt: 1300,
      profileProblem: 'held',
    });
  });
});
