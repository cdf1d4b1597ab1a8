import { describe, expect, test } from 'vitest';
import { deviceSlice, gpuNode, gpuQuota, stockLimits } from '../../src/cluster/stock.ts';

const h100 = 'NVIDIA-H100-80GB-HBM3';

describe('a Node', () => {
  const node = (more: { labels?: object; annotations?: object; spec?: object; ready?: string; gpus?: string } = {}) =>
    gpuNode({
      metadata: {
        name: 'n',
        labels: { 'nvidia.com/gpu.product': h100, ...more.labels },
        annotations: { ...more.annotations },
      },
      spec: { ...more.spec },
      status: {
        allocatable: { cpu: '96', 'nvidia.com/gpu': more.gpus ?? '8' },
        conditions: [
          { type: 'MemoryPressure', status: 'False' },
          { type: 'Ready', status: more.ready ?? 'True' },
        ],
      },
    });

  test.each([
    { name: 'Ready', given: node(), is: { gpu: 'H100', gpus: 8, usable: true, elastic: false } },
    { name: 'cordoned', given: node({ spec: { unschedulable: true } }), is: { gpus: 8, usable: false } },
    { name: 'lost', given: node({ ready: 'Unknown' }), is: { gpus: 8, usable: false } },
    { name: 'of Karpenter', given: node({ labels: { 'karpenter.sh/nodepool': 'a' } }), is: { elastic: true } },
    {
      name: 'of the Cluster API',
      given: node({ annotations: { 'cluster.x-k8s.io/machine': 'a' } }),
      is: { elastic: true },
    },
  ])('$name', ({ given, is }) => {
    expect(given).toMatchObject(is);
  });

  test('without label, GPUs and conditions', () => {
    expect(gpuNode({ metadata: { name: 'n' } })).toEqual({ gpu: null, gpus: 0, usable: false, elastic: false });
  });
});

describe('a ResourceSlice', () => {
  const device = (name: string, type: string, productName: string) => ({
    name,
    attributes: { type: { string: type }, productName: { string: productName } },
  });
  const slice = (spec: object) => deviceSlice({ metadata: { name: 's' }, spec });

  test('offers whole GPUs by type', () => {
    const devices = [
      device('gpu-0', 'gpu', 'NVIDIA H100 80GB HBM3'),
      device('gpu-1', 'gpu', 'NVIDIA H100 80GB HBM3'),
      device('gpu-1-mig-0', 'mig', 'NVIDIA H100 80GB HBM3'),
      device('gpu-2', 'gpu', 'NVIDIA L4'),
      { name: 'untold' },
    ];
    expect(slice({ driver: 'gpu.nvidia.com', nodeName: 'n', pool: { name: 'p' }, devices })).toEqual({
      node: 'n',
      pool: 'p',
      devices: { 'gpu-0': 'H100', 'gpu-1': 'H100', 'gpu-2': 'L4' },
    });
  });

  test('of another driver, or of no Node, offers none', () => {
    expect(slice({ driver: 'compute-domain.nvidia.com', nodeName: 'n', devices: [] })).toBeNull();
    expect(slice({ driver: 'gpu.nvidia.com', devices: [] })).toBeNull();
  });
});

describe('a ResourceQuota', () => {
  const quota = (spec: object) => gpuQuota({ metadata: { name: 'q', namespace: 'ns' }, spec });

  test('limits GPUs, or says nothing of them', () => {
    expect(quota({ hard: { 'requests.nvidia.com/gpu': '6', pods: '10' } })).toEqual({ namespace: 'ns', gpus: 6 });
    expect(quota({ hard: { pods: '10' } })).toBeNull();
  });

  test('that counts only some pods is left out', () => {
    const hard = { 'requests.nvidia.com/gpu': '6' };
    expect(quota({ hard, scopes: ['NotTerminating'] })).toBeNull();
    expect(quota({ hard, scopeSelector: { matchExpressions: [] } })).toBeNull();
  });
});

describe("the user's limits", () => {
  test('are ceilings by type, and quotas by namespace', () => {
    const document = { ceilings: { H100: 8 }, namespaces: { serving: { H100: 4, '*': 12 } } };
    expect(stockLimits(document)).toEqual(document);
    expect(stockLimits({ ceilings: { L4: 0 } })).toEqual({ ceilings: { L4: 0 }, namespaces: {} });
    expect(stockLimits(null)).toEqual({ ceilings: {}, namespaces: {} });
  });

  test.each([
    ['a list', [], 'must be an object, not []'],
    ['a text', 'x', 'must be an object, not "x"'],
    ['an unknown key', { ceiling: {} }, 'ceiling: unknown field'],
    ['a part of a GPU', { ceilings: { H100: 1.5 } }, 'ceilings.H100: must be a whole number of at least 0, not 1.5'],
    ['less than none', { namespaces: { a: { '*': -1 } } }, 'namespaces.a.*: must be a whole number of at least 0, not -1'],
    ['a number for a table', { namespaces: { a: 3 } }, 'namespaces.a: must be an object, not 3'],
  ])('%s is refused', (_, document, what) => {
    expect(stockLimits(document)).toBe(what);
  });
});
