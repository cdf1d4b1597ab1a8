import { describe, expect, test } from 'vitest';
import type { EngineActivity } from '../../src/cluster/engine-metrics.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { type ClusterSeen, podsByDeployment, type ReadParts, read } from '../../src/planner/read.ts';
import type { WorkloadAndClock } from '../../src/planner/workload-and-clock.ts';
import { deployment, foundProfile } from '../helpers/deployments.ts';
import { workload } from '../helpers/planner.ts';
import { deploymentPod } from '../helpers/pods.ts';

/** Of namespace `ns`. */
const of = <Value>(values: Readonly<Record<string, Value>>) =>
  new Map(Object.entries(values).map(([name, value]) => [`ns/${name}`, value]));
const byName = (...pods: readonly DeploymentPod[]) => new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
/** What was asked, in order, and what was read; requests are read within 3 s of the clock. */
const reading = async (more: Partial<ClusterSeen> = {}, parts: Partial<ReadParts> = {}, problems: readonly string[] = []) => {
  const asked: unknown[] = [];
  const cluster: ClusterSeen = {
    deployments: of({ a: deployment('a') }),
    pods: new Map(),
    bounds: (now) => of({ a: { minReplicas: now, maxReplicas: null } }),
    gatewayUnchangedSince: (now) => now - 5,
    gatewayReplicas: () => 1,
    unsynced: () => ['pods'],
    problems: () => ['of the cluster'],
    ...more,
  };
  let now = 1000;
  const requests: WorkloadAndClock = {
    read: async (names) => {
      asked.push(names);
      now += 3;
      return problems;
    },
    last: () => workload(now, {}),
    time: () => now,
    intervalNumber: () => Math.floor(now / 10),
  };
  const readProfiles: ReadParts['readProfiles'] = async (wanted, at) => {
    asked.push([wanted.map(({ name }) => name), at]);
    return { found: of({ a: foundProfile('a', 2) }), problems: ['of profiles'] };
  };
  return { asked, ...(await read({ cluster, readProfiles, ...parts }, requests)) };
};

test('requests are read of every model and its other names, each once, and profiles of every Deployment, in order of key', async () => {
  const deployments = of({ b: deployment('b', { model: 'n', aliases: ['m', 'o'] }), a: deployment('a') });
  const { asked, reading: given } = await reading({ deployments });
  expect(asked).toEqual([
    ['m', 'n', 'o'],
    [['a', 'b'], 1003],
  ]);
  expect([...given.deployments.keys()]).toEqual(['ns/a', 'ns/b']);
});

test('all that depends on the time is as of when requests were read', async () => {
  const { reading: given, intervalNumber } = await reading();
  expect(given).toMatchObject({ now: 1003, workload: { now: 1003 }, gatewayUnchangedSince: 998, unsynced: ['pods'] });
  expect(given.bounds).toEqual(of({ a: { minReplicas: 1003, maxReplicas: null } }));
  expect([intervalNumber, given.profiles.get('ns/a')?.source]).toEqual([100, 'profile a']);
});

test('problems are those of requests, then those of profiles and of the cluster, then what several gateways do', async () => {
  expect((await reading({}, {}, ['Redis is away'])).problems).toEqual(['Redis is away', 'of profiles', 'of the cluster']);
  expect((await reading({ gatewayReplicas: () => 3 })).problems).toEqual([
    'of profiles',
    'of the cluster',
    expect.stringMatching(/^undercount possible: the gateway has 3 replicas.* 3 times/),
  ]);
});

test('what no cluster was asked for is absent', async () => {
  const { reading: without } = await reading();
  expect(['supply' in without, 'paces' in without]).toEqual([false, false]);
  const supply = { nodes: new Map(), slices: [], holders: [], quotas: [], limits: null };
  const { reading: given } = await reading({ supply: () => supply, paces: () => new Map() });
  expect([given.supply, given.paces]).toEqual([supply, new Map()]);
});

describe('pods', () => {
  const pods = byName(
    deploymentPod('a-1', { deployment: 'a' }),
    deploymentPod('a-2', { deployment: 'a', ready: false }),
    deploymentPod('a-3', { deployment: 'a', ready: false, ended: true }),
    deploymentPod('b-1', { deployment: 'b', ready: false, terminating: true }),
    deploymentPod('a-1', { deployment: 'a', namespace: 'other' }),
  );

  test('are those of a Deployment by its namespace and name', () => {
    const names = [...podsByDeployment(pods)].map(([key, some]) => [key, ...some.map(({ name }) => name)].join(' '));
    expect(names).toEqual(['ns/a a-1 a-2 a-3', 'ns/b b-1', 'other/a a-1']);
  });

  test('that have ended or are about to are none, and a Deployment that has no other keeps its place', async () => {
    const { reading: given } = await reading({ pods });
    expect([...given.pods!].map(([key, some]) => `${key} ${some.length}`)).toEqual(['ns/a 2', 'ns/b 0', 'other/a 1']);
    expect([...given.ready].map(([key, count]) => `${key} ${count}`)).toEqual(['ns/a 1', 'ns/b 0', 'other/a 1']);
  });

  test('are what engines are asked of, and a Deployment of which none is heard has no report', async () => {
    const heard: EngineActivity = { quietSince: 5, busyAt: null, sample: null };
    const engines = {
      observe: () => {},
      activity: (some: readonly DeploymentPod[], now: number) => (some.length > 1 ? { ...heard, busyAt: now } : null),
    };
    expect((await reading({ pods }, { engines })).reading.engines).toEqual(of({ a: { ...heard, busyAt: 1003 } }));
    expect((await reading({ pods })).reading.engines).toEqual(new Map());
  });
});
