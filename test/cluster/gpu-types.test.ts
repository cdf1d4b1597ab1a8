import { expect, test } from 'vitest';
import { gpuLabels, gpuOfLabels, gpuOfProduct, gpusAmong } from '../../src/cluster/gpu-types.ts';
import { gpuNode } from '../../src/cluster/stock.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';

test.each([
  ['NVIDIA-H100-80GB-HBM3', 'H100'],
  ['NVIDIA-H100-NVL', 'H100-NVL'],
  ['NVIDIA-H200-NVL', 'H200-NVL'],
  ['NVIDIA-GB200', 'GB200'],
  ['NVIDIA-RTX-PRO-6000-Blackwell-Server-Edition', 'RTX-PRO-6000'],
  ['NVIDIA-H100-80GB-HBM3-SHARED', 'H100-SHARED'],
  ['NVIDIA-A100-SXM4-80GB-MIG-1g.10gb', 'A100-80-MIG-1g.10gb'],
  ['AMD_Instinct_MI300X_OAM', 'MI300X'],
  ['Max_1550', 'MAX-1550'],
  ['NVIDIA-X1', 'NVIDIA-X1'],
  ['constructor', 'constructor'],
])('%s is sold as %s', (product, type) => {
  expect(gpuOfProduct(product)).toBe(type);
});

const labelled = [
  [{ 'cloud.google.com/gke-accelerator': 'nvidia-tesla-a100' }, 'A100-40'],
  [{ 'cloud.google.com/gke-accelerator': 'nvidia-h100-mega-80gb' }, 'H100'],
  [{ 'karpenter.k8s.aws/instance-gpu-name': 'l40s' }, 'L40S'],
  [{ 'karpenter.k8s.aws/instance-gpu-name': 'a100', 'karpenter.k8s.aws/instance-gpu-memory': '81920' }, 'A100-80'],
  [{ 'karpenter.k8s.aws/instance-gpu-name': 'a100', 'karpenter.k8s.aws/instance-gpu-memory': '40960' }, 'A100-40'],
  [{ 'gpu.nvidia.com/class': 'H100_NVLINK_80GB' }, 'H100'],
  [{ 'amd.com/gpu.product-name': 'AMD_Instinct_MI325X_OAM' }, 'MI325X'],
  [{ 'nvidia.com/gpu.product': 'NVIDIA-L4', 'cloud.google.com/gke-accelerator': 'nvidia-l4' }, 'L4'],
  [{ 'kubernetes.io/os': 'linux' }, null],
] as const;

test.each(labelled)('%j: a Node and a pod that selects it are of one type', (labels, type) => {
  expect(gpuNode({ metadata: { name: 'n', labels } }).gpu).toBe(type);
  const template = { spec: { nodeSelector: labels } };
  const metadata = { name: 'd', labels: { 'model.aibrix.ai/name': 'm' } };
  expect(modelDeployment({ metadata, spec: { template } })?.gpu).toBe(type);
});

test('a required affinity by any of these labels', () => {
  const affinity = (...terms: readonly (readonly string[])[]) => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: terms.map((values) => ({
          matchExpressions: [{ key: 'cloud.google.com/gke-accelerator', operator: 'In', values }],
        })),
      },
    },
  });
  const gpuOf = (...terms: readonly (readonly string[])[]) =>
    modelDeployment({
      metadata: { name: 'd', labels: { 'model.aibrix.ai/name': 'm' } },
      spec: { template: { spec: { affinity: affinity(...terms) } } },
    })?.gpu;
  expect(gpuOf(['nvidia-h100-80gb', 'nvidia-h100-mega-80gb'])).toBe('H100');
  expect(gpuOf(['nvidia-h100-80gb'], ['nvidia-l4'])).toBeNull();
});

test('labels of one’s own count first', () => {
  const labels = { 'example.com/gpu': 'NVIDIA-L40S', 'nvidia.com/gpu.product': 'NVIDIA-L4' };
  expect(gpuOfLabels(labels, gpuLabels(['example.com/gpu']))).toBe('L40S');
  expect(gpuOfLabels(labels, gpuLabels())).toBe('L4');
});

test.each([
  [{ cpu: '8', 'nvidia.com/gpu': '2' }, 2],
  [{ 'amd.com/gpu': '8' }, 8],
  [{ 'gpu.intel.com/xe': 1 }, 1],
  [{ 'habana.ai/gaudi': '8' }, 8],
  [{ 'nvidia.com/mig-1g.10gb': '1', memory: '1Gi' }, 0],
])('GPUs among %j', (quantities, count) => {
  expect(gpusAmong(quantities)).toBe(count);
});
