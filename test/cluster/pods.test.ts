import { describe, expect, test } from 'vitest';
import { labelledOrigin, metricsUrl, type PodObject, deploymentPod as podOf } from '../../src/cluster/pods.ts';
import { deploymentPod } from '../helpers/pods.ts';

type Spec = NonNullable<PodObject['spec']>;
type Status = NonNullable<PodObject['status']>;
const labels = { 'pod-template-hash': '7d9f', app: 'web' };
const owner = { kind: 'ReplicaSet', name: 'web-7d9f', controller: true };
const pod = (spec: Spec = {}, status: Status = {}, metadata: Partial<PodObject['metadata']> = {}) =>
  podOf({
    metadata: { name: 'web-7d9f-x', namespace: 'ns', uid: 'u', labels, ownerReferences: [owner], ...metadata },
    spec,
    status,
  });
const container = (gpus: number) => ({ resources: { limits: { cpu: '4', 'nvidia.com/gpu': String(gpus) } } });

test('a pod of a Deployment in full', () => {
  const given = pod(
    { nodeName: 'n1', containers: [container(2)] },
    {
      phase: 'Running',
      podIP: '10.0.0.7',
      conditions: [
        { type: 'PodScheduled', status: 'True', lastTransitionTime: '1970-01-01T00:01:40Z' },
        { type: 'Ready', status: 'True', lastTransitionTime: '1970-01-01T00:03:20Z' },
      ],
      containerStatuses: [{ restartCount: 3, imageID: 'vllm' }],
    },
    { creationTimestamp: '1970-01-01T00:01:30Z' },
  );
  expect(given).toEqual({
    ...{ namespace: 'ns', name: 'web-7d9f-x', deployment: 'web', labels, ready: true, ip: '10.0.0.7', gpus: 2, node: 'n1' },
    ...{ incarnation: 'u vllm*3', createdAt: 90, placedAt: 100, readinessAt: 200 },
    ...{ unschedulable: false, ended: false, terminating: false },
  });
});

describe('whose it is', () => {
  test('says the ReplicaSet that controls it, less the hash of its template', () => {
    expect(pod()?.deployment).toBe('web');
    expect(pod({}, {}, { ownerReferences: [{ ...owner, name: 'a-7d9f-7d9f' }] })?.deployment).toBe('a-7d9f');
  });

  test.each<[string, Partial<PodObject['metadata']>]>([
    ['no owner', { ownerReferences: [] }],
    ['an owner that does not control it', { ownerReferences: [{ kind: 'ReplicaSet', name: 'web-7d9f' }] }],
    ['an owner of another kind', { ownerReferences: [{ ...owner, kind: 'StatefulSet' }] }],
    ['a ReplicaSet of no Deployment', { ownerReferences: [{ ...owner, name: 'web' }] }],
    ['no hash', { labels: {} }],
  ])('with %s it belongs to none, and is kept only for its GPUs', (_, metadata) => {
    expect(pod({}, {}, metadata)).toBeNull();
    expect(pod({ containers: [container(1)] }, {}, metadata)).toMatchObject({ deployment: '', labels: {}, gpus: 1 });
  });
});

test('its GPUs are those of all its containers together, or of the init container that takes most', () => {
  const gpus = (spec: Spec) => pod(spec)?.gpus;
  expect(gpus({ containers: [container(1), container(2), {}] })).toBe(3);
  expect(gpus({ containers: [container(1)], initContainers: [container(4), container(2)] })).toBe(4);
  expect(gpus({ containers: [{ resources: { requests: { 'amd.com/gpu': 1 } } }] })).toBe(1);
  expect(gpus({ containers: [{ resources: { requests: { 'amd.com/gpu': 1 }, limits: { 'amd.com/gpu': 1 } } }] })).toBe(1);
});

test('one that has ended holds no GPU, and one that is told to end holds them but is not Ready', () => {
  const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
  for (const phase of ['Succeeded', 'Failed'])
    expect(pod({ containers: [container(1)] }, { phase })).toMatchObject({ ended: true, gpus: 0 });
  expect(pod({ containers: [container(1)] }, ready, { deletionTimestamp: '2026-01-01T00:00:00Z' })).toMatchObject({
    ...{ ready: false, terminating: true, ended: false, gpus: 1 },
  });
});

test('one without a place is unschedulable only where the scheduler says so', () => {
  const scheduled = (status: string, reason = '') =>
    pod({}, { conditions: [{ type: 'PodScheduled', status, reason, lastTransitionTime: '1970-01-01T00:01:40Z' }] });
  expect(scheduled('False', 'Unschedulable')).toMatchObject({ unschedulable: true, placedAt: null });
  expect(scheduled('False', 'SchedulingGated')).toMatchObject({ unschedulable: false, placedAt: null });
  expect(scheduled('True')).toMatchObject({ unschedulable: false, placedAt: 100 });
  expect(pod()).toMatchObject({ unschedulable: false, placedAt: null, readinessAt: null, node: null, ip: null, ready: false });
});

test('it is another incarnation after a restart, with another image, and when it is replaced', () => {
  const seen = (uid: string, restartCount: number, imageID: string) =>
    pod({}, { containerStatuses: [{ restartCount, imageID }] }, { uid })?.incarnation;
  expect(seen('u', 0, 'a')).toBe(seen('u', 0, 'a'));
  expect(new Set([seen('u', 0, 'a'), seen('u', 1, 'a'), seen('u', 0, 'b'), seen('v', 0, 'a')]).size).toBe(4);
});

describe('where it is', () => {
  const at = (ip: string | null, port?: string, metricPort?: string) =>
    deploymentPod('p', {
      ip,
      labels: {
        ...(port === undefined ? {} : { 'model.aibrix.ai/port': port }),
        ...(metricPort === undefined ? {} : { 'model.aibrix.ai/metric-port': metricPort }),
      },
    });

  test('metrics are at the port for metrics, else that for requests, else that of all', () => {
    expect(metricsUrl(at('10.0.0.7', '8001', '9001'), 8000)).toBe('http://10.0.0.7:9001/metrics');
    expect(metricsUrl(at('10.0.0.7', '8001'), 8000)).toBe('http://10.0.0.7:8001/metrics');
    expect(metricsUrl(at('fd00::7'), 8000)).toBe('http://[fd00::7]:8000/metrics');
  });

  test('requests go to the port that its label names, if that can be one', () => {
    expect(labelledOrigin(at('10.0.0.7', '1'))).toBe('http://10.0.0.7:1');
    expect(labelledOrigin(at('fd00::7', '65535'))).toBe('http://[fd00::7]:65535');
    for (const port of [undefined, '', '0', '65536', '80x', '-1', '8e3', '000080'])
      expect(labelledOrigin(at('10.0.0.7', port))).toBeNull();
    expect(labelledOrigin(at(null, '8000'))).toBeNull();
  });
});
