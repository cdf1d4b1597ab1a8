import { describe, expect, test } from 'vitest';
import { boundsOfAutoscaler, boundsOfScaledObject, tightest } from '../../src/cluster/bounds.ts';
import { deploymentPod } from '../../src/cluster/pods.ts';
import { type ModelDeployment, modelDeployment } from '../../src/cluster/variant.ts';

const labels = { 'model.aibrix.ai/name': 'llama' };
const object = (metadata: object, podSpec: object = {}, replicas = 2) => ({
  metadata: { name: 'llama-l40s', namespace: 'ns', uid: 'u1', labels, ...metadata },
  spec: { replicas, template: { spec: podSpec } },
});
const gpu = (limits: object) => ({ containers: [{ resources: { limits } }] });

describe('a Deployment that carries a model', () => {
  test('label, replicas, defaults', () => {
    expect(modelDeployment(object({}))).toEqual({
      namespace: 'ns',
      name: 'llama-l40s',
      uid: 'u1',
      labels,
      model: 'llama',
      aliases: [],
      priority: 0,
      idleReplicas: 0,
      replicas: 2,
      gpu: null,
      gpusPerReplica: 1,
      price: null,
      pin: null,
      paused: false,
      attainment: null,
      routerKnowledge: null,
      confirmedProfile: null,
      podsRefused: null,
      problem: null,
      note: null,
    });
  });

  test('a name that a label cannot hold is an annotation; the label wins', () => {
    const annotations = { 'model.aibrix.ai/name': 'org/llama' };
    expect(modelDeployment(object({ labels: {}, annotations }))?.model).toBe('org/llama');
    expect(modelDeployment(object({ annotations }))?.model).toBe('llama');
  });

  test('pin and pause, and what is not understood of them', () => {
    const read = (annotations: Record<string, string>) => modelDeployment(object({ annotations }));
    expect(read({ 'gpumix.io/pin': '5' })).toMatchObject({ pin: { replicas: 5, until: null }, paused: false });
    expect(read({ 'gpumix.io/pin': '0', 'gpumix.io/pin-until': '2026-12-01T09:00:00+01:00' })?.pin).toEqual({
      replicas: 0,
      until: Date.UTC(2026, 11, 1, 8) / 1000,
    });
    expect(read({ 'gpumix.io/pin-until': '2026-12-01T09:00:00Z' })?.pin).toBeNull();
    expect(read({ 'gpumix.io/paused': 'true' })?.paused).toBe(true);
    const broken = { 'gpumix.io/pin': '-1', 'gpumix.io/pin-until': 'tomorrow', 'gpumix.io/paused': 'yes' };
    expect(read(broken)).toMatchObject({
      pin: null,
      paused: true,
      problem:
        'Deployment ns/llama-l40s: gpumix.io/pin is "-1", not a whole number from 0; Deployment ns/llama-l40s: gpumix.io/pin-until is "tomorrow", not a time such as 2026-12-01T08:00:00Z; Deployment ns/llama-l40s: gpumix.io/paused is "yes", not true or false',
    });
    // A pin that nobody can read, where there was none: nothing moves.
    expect(read({ 'gpumix.io/pin': 'five' })).toMatchObject({ pin: null, paused: true });
    const before = read({ 'gpumix.io/pin': '5' });
    expect(modelDeployment(object({ annotations: { 'gpumix.io/pin': 'five' } }), before ?? undefined)).toMatchObject({
      pin: { replicas: 5, until: null },
      paused: false,
    });
  });

  test('pods that Kubernetes refuses, without the name that changes with each attempt', () => {
    const failing = (status: string, message?: string) =>
      modelDeployment({
        ...object({}),
        status: { conditions: [{ type: 'ReplicaFailure', status, ...(message === undefined ? {} : { message }) }] },
      });
    const quota = 'exceeded quota: q, requested: pods=1, used: pods=8, limited: pods=8';
    expect(failing('True', `pods "a-7c9f-x2x4z" is forbidden: ${quota}`)?.podsRefused).toBe(quota);
    expect(failing('True')?.podsRefused).toBe('its pods cannot be made');
    expect(failing('False', 'x')?.podsRefused).toBeNull();
    expect(modelDeployment(object({}))?.podsRefused).toBeNull();
  });

  test('no model, no interest', () => {
    expect(modelDeployment(object({ labels: { app: 'web' } }))).toBeNull();
  });

  test.each([
    ['node selector', { nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' } }, 'H100'],
    ['an unknown product is its own type', { nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-X1' } }, 'NVIDIA-X1'],
    ['required affinity', affinity([['Tesla-V100-SXM2-16GB', 'Tesla-V100-PCIE-16GB']]), 'V100'],
    ['an affinity that leaves two types says nothing', affinity([['NVIDIA-L4', 'NVIDIA-L40S']]), null],
    ['terms that differ say nothing', affinity([['NVIDIA-L4'], ['NVIDIA-L40S']]), null],
    ['a term without the product says nothing', affinity([['NVIDIA-L4'], []]), null],
  ])('GPU type: %s', (_name, podSpec, expected) => {
    expect(modelDeployment(object({}, podSpec))?.gpu).toBe(expected);
  });

  test('GPU type: the annotation comes first', () => {
    const annotations = { 'gpumix.io/gpu': 'L4' };
    expect(modelDeployment(object({ annotations }, { nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-H200' } }))?.gpu).toBe(
      'L4',
    );
  });

  test('GPUs per replica are summed over containers, limits before requests', () => {
    const podSpec = {
      containers: [
        { resources: { limits: { 'nvidia.com/gpu': '2', cpu: '4' } } },
        { resources: { requests: { 'amd.com/gpu': 1 } } },
        {},
      ],
    };
    expect(modelDeployment(object({}, podSpec))?.gpusPerReplica).toBe(3);
    expect(modelDeployment(object({}, gpu({ cpu: '1' })))?.gpusPerReplica).toBe(1);
  });

  test('idle replicas, price, priority, aliases, router', () => {
    const read = modelDeployment(
      object({
        labels: { ...labels, 'model.aibrix.ai/min_replicas': '3' },
        annotations: {
          'gpumix.io/price': '1.25',
          'gpumix.io/attainment': '0.995',
          'gpumix.io/priority': '-2',
          'gpumix.io/aliases': 'lora-a, lora-b,',
          'gpumix.io/router': 'load',
        },
      }),
    );
    expect(read).toMatchObject({
      idleReplicas: 3,
      price: 1.25,
      attainment: 0.995,
      priority: -2,
      aliases: ['lora-a', 'lora-b'],
      routerKnowledge: 'load',
      problem: null,
    });
  });

  test('a router that there is not is one clear line, and the one before stands', () => {
    const read = (router: string, before?: ModelDeployment) =>
      modelDeployment(object({ annotations: { 'gpumix.io/router': router } }), before);
    expect(read('fastest', read('load') ?? undefined)).toMatchObject({
      routerKnowledge: 'load',
      problem: expect.stringMatching(
        /^Deployment ns\/llama-l40s: gpumix.io\/router is "fastest", not one of size, input, load, none, nor a routing strategy of AIBrix \(random, /,
      ),
    });
    expect(read('auto')?.routerKnowledge).toBeNull();
  });

  test('a strategy of AIBrix is its nearest mode, with a note where that is an approximation', () => {
    const read = (router: string) => modelDeployment(object({ annotations: { 'gpumix.io/router': router } }));
    expect(read('least-request')).toMatchObject({ routerKnowledge: 'load', problem: null, note: null });
    expect(read('power-of-two')).toMatchObject({
      routerKnowledge: 'none',
      problem: null,
      note: expect.stringMatching(/^Deployment ns\/llama-l40s: gpumix.io\/router: AIBrix's power-of-two is planned for/),
    });
  });

  test('a strategy that no mode describes is left out with the reason: the setting counts, not what stood before', () => {
    const read = (router: string, before?: ModelDeployment) =>
      modelDeployment(object({ annotations: { 'gpumix.io/router': router } }), before);
    expect(read('slo', read('load') ?? undefined)).toMatchObject({
      attainment: null,
      routerKnowledge: null,
      note: null,
      problem: expect.stringMatching(/^Deployment ns\/llama-l40s: gpumix.io\/router is left out: AIBrix's slo sends nearly/),
    });
  });

  test.each(['two', '-1', '1.5', '', ' 1'])('min_replicas %j is one clear line, and the last good value stands', (text) => {
    const broken = object({ labels: { ...labels, 'model.aibrix.ai/min_replicas': text } });
    const first = modelDeployment(broken);
    expect(first).toMatchObject({
      idleReplicas: null,
      problem: `Deployment ns/llama-l40s: model.aibrix.ai/min_replicas is ${JSON.stringify(text)}, not a whole number from 0`,
    });
    const good = modelDeployment(object({ labels: { ...labels, 'model.aibrix.ai/min_replicas': '4' } }));
    expect(modelDeployment(broken, good ?? undefined)).toMatchObject({ idleReplicas: 4, problem: first?.problem });
    const absent = modelDeployment(object({}));
    expect(modelDeployment(broken, absent ?? undefined)).toMatchObject({ idleReplicas: null });
  });

  test.each(['0', '-1', 'free'])('a price of %j is one clear line', (text) => {
    expect(modelDeployment(object({ annotations: { 'gpumix.io/price': text } }))).toMatchObject({
      price: null,
      problem: `Deployment ns/llama-l40s: gpumix.io/price is "${text}", not a number above 0`,
    });
  });
});

function affinity(terms: readonly (readonly string[])[]) {
  const nodeSelectorTerms = terms.map((values) => ({
    matchExpressions: values.length === 0 ? [] : [{ key: 'nvidia.com/gpu.product', operator: 'In', values }],
  }));
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } } };
}

describe('bounds', () => {
  const autoscaler = (spec: object, metadata: object = {}) => ({
    metadata: { name: 'x', namespace: 'ns', ...metadata },
    spec,
  });
  const target = { scaleTargetRef: { kind: 'Deployment', name: 'd' } };

  test('an HPA without minReplicas has 1', () => {
    expect(boundsOfAutoscaler(autoscaler({ ...target, maxReplicas: 9 }))).toMatchObject({
      deployment: 'ns/d',
      minReplicas: 1,
      maxReplicas: 9,
    });
    expect(boundsOfAutoscaler(autoscaler({ ...target, minReplicas: 0, maxReplicas: 9 }))?.minReplicas).toBe(0);
  });

  test.each([
    ['another kind', autoscaler({ scaleTargetRef: { kind: 'StatefulSet', name: 'd' }, maxReplicas: 9 })],
    [
      'an HPA of a ScaledObject',
      autoscaler({ ...target, maxReplicas: 9 }, { ownerReferences: [{ kind: 'ScaledObject', name: 's' }] }),
    ],
    [
      'an HPA of a PodAutoscaler',
      autoscaler({ ...target, maxReplicas: 9 }, { ownerReferences: [{ kind: 'PodAutoscaler', name: 's' }] }),
    ],
  ])('%s says nothing', (_name, object_) => {
    expect(boundsOfAutoscaler(object_)).toBeNull();
  });

  test("a ScaledObject has its own limits and KEDA's defaults", () => {
    expect(boundsOfScaledObject(autoscaler({ scaleTargetRef: { name: 'd' } }))).toMatchObject({
      deployment: 'ns/d',
      minReplicas: 0,
      maxReplicas: 100,
    });
    expect(
      boundsOfScaledObject(autoscaler({ scaleTargetRef: { name: 'd' }, minReplicaCount: 2, maxReplicaCount: 5 })),
    ).toMatchObject({ minReplicas: 2, maxReplicas: 5 });
  });

  test('the tightest wins; a minimum above the maximum gives way', () => {
    expect(
      tightest([
        { minReplicas: 1, maxReplicas: 9 },
        { minReplicas: 3, maxReplicas: null },
        { minReplicas: 0, maxReplicas: 5 },
      ]),
    ).toMatchObject({ minReplicas: 3, maxReplicas: 5 });
    expect(
      tightest([
        { minReplicas: 7, maxReplicas: 9 },
        { minReplicas: 0, maxReplicas: 5 },
      ]),
    ).toMatchObject({ minReplicas: 5, maxReplicas: 5 });
    expect(tightest([])).toMatchObject({ minReplicas: 0, maxReplicas: null });
  });
});

describe('pods', () => {
  const pod = (metadata: object, status: object = {}) => ({
    metadata: {
      name: 'a-b-7c9f-x2',
      namespace: 'ns',
      uid: 'p1',
      labels: { 'pod-template-hash': '7c9f' },
      ownerReferences: [{ kind: 'ReplicaSet', name: 'a-b-7c9f', controller: true }],
      ...metadata,
    },
    status,
  });

  test('its Deployment is in the name of its ReplicaSet', () => {
    expect(deploymentPod(pod({}))).toMatchObject({ deployment: 'a-b', ready: false });
    expect(deploymentPod(pod({}, { conditions: [{ type: 'Ready', status: 'True' }] }))?.ready).toBe(true);
  });

  test('pods of anything else are left out', () => {
    expect(deploymentPod(pod({ ownerReferences: [] }))).toBeNull();
    expect(deploymentPod(pod({ ownerReferences: [{ kind: 'StatefulSet', name: 'a-b-7c9f', controller: true }] }))).toBeNull();
    expect(deploymentPod(pod({ labels: {} }))).toBeNull();
  });

  test('one that was told to end is on its way out, though it may still be Ready', () => {
    expect(deploymentPod(pod({}))?.terminating).toBe(false);
    const ready = { conditions: [{ type: 'Ready', status: 'True' }] };
    const leaving = deploymentPod(pod({ deletionTimestamp: '2026-11-25T08:00:00Z' }, ready));
    expect([leaving?.terminating, leaving?.ready]).toEqual([true, false]);
  });

  test('one of anything else is kept where it holds GPUs', () => {
    const other = (resources: object, status: object = {}) =>
      deploymentPod({
        ...pod({ ownerReferences: [], creationTimestamp: '2026-11-25T08:00:00Z' }, status),
        spec: { nodeName: 'n1', containers: [{ resources }, { resources }], initContainers: [{ resources }] },
      });
    expect(other({ limits: { 'nvidia.com/gpu': '2' } })).toMatchObject({
      ...{ deployment: '', node: 'n1', gpus: 4, createdAt: Date.UTC(2026, 10, 25, 8) / 1000 },
      ...{ readinessAt: null, unschedulable: false, ended: false },
    });
    expect(other({ limits: { cpu: '2' } })).toBeNull();
    expect(other({ limits: { 'nvidia.com/gpu': '2' } }, { phase: 'Succeeded' })).toBeNull();
  });

  test('whether the scheduler found a place, and since when it is Ready or not', () => {
    const at = '2026-11-25T08:00:00Z';
    const conditions = (...all: object[]) => deploymentPod(pod({}, { phase: 'Pending', conditions: all }));
    const nowhere = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', lastTransitionTime: at };
    expect(conditions(nowhere)).toMatchObject({ unschedulable: true, node: null, readinessAt: null });
    expect(conditions({ ...nowhere, reason: 'SchedulingGated' })).toMatchObject({ unschedulable: false });
    expect(conditions({ type: 'Ready', status: 'True', lastTransitionTime: at })).toMatchObject({
      ...{ ready: true, readinessAt: Date.parse(at) / 1000 },
    });
  });

  test('a restart or another image is another incarnation', () => {
    const at = (restartCount: number, imageID: string) =>
      deploymentPod(pod({}, { containerStatuses: [{ restartCount, imageID }] }))?.incarnation;
    expect(new Set([at(0, 'i'), at(1, 'i'), at(0, 'j')]).size).toBe(3);
    expect(at(0, 'i')).toBe(at(0, 'i'));
  });
});
