import type { Quantities } from './kubernetes-object.ts';

/**
 * Labels of Nodes that say which GPU they have, the surest first. The same keys stand in the selectors and affinities of pods.
 *
 * - `nvidia.com/gpu.product`: NVIDIA's GPU feature discovery
 * - `amd.com/gpu.product-name`: the labeller of AMD's device plugin, also with its older prefix
 * - `gpu.intel.com/product`: Intel's node feature rules
 * - `cloud.google.com/gke-accelerator`: GKE
 * - `karpenter.k8s.aws/instance-gpu-name`, `eks.amazonaws.com/instance-gpu-name`: Karpenter and EKS Auto Mode
 * - `k8s.amazonaws.com/accelerator`: node groups for the cluster autoscaler on AWS
 * - `gpu.nvidia.com/class`: CoreWeave
 */
const gpuLabelKeys: readonly string[] = [
  'nvidia.com/gpu.product',
  'amd.com/gpu.product-name',
  'beta.amd.com/gpu.product-name',
  'gpu.intel.com/product',
  'cloud.google.com/gke-accelerator',
  'karpenter.k8s.aws/instance-gpu-name',
  'eks.amazonaws.com/instance-gpu-name',
  'k8s.amazonaws.com/accelerator',
  'gpu.nvidia.com/class',
];

/** What these labels call a GPU, in small letters, and what it is sold as: by the pages of the vendors named above. */
const types: Readonly<Record<string, string>> = {
  // nvidia.com/gpu.product
  'tesla-t4': 'T4',
  'tesla-v100-sxm2-16gb': 'V100',
  'tesla-v100-sxm2-32gb': 'V100',
  'tesla-v100-sxm3-32gb': 'V100',
  'tesla-v100-pcie-16gb': 'V100',
  'tesla-v100-pcie-32gb': 'V100',
  'nvidia-a10': 'A10',
  'nvidia-a10g': 'A10G',
  'nvidia-a16': 'A16',
  'nvidia-a30': 'A30',
  'nvidia-a40': 'A40',
  'nvidia-rtx-a6000': 'RTX-A6000',
  'nvidia-rtx-6000-ada-generation': 'RTX-6000-ADA',
  'nvidia-l4': 'L4',
  'nvidia-l20': 'L20',
  'nvidia-l40': 'L40',
  'nvidia-l40s': 'L40S',
  'nvidia-a100-sxm4-40gb': 'A100-40',
  'nvidia-a100-pcie-40gb': 'A100-40',
  'nvidia-a100-sxm4-80gb': 'A100-80',
  'nvidia-a100-80gb-pcie': 'A100-80',
  'nvidia-h100-80gb-hbm3': 'H100',
  'nvidia-h100-pcie': 'H100-PCIE',
  'nvidia-h100-nvl': 'H100-NVL',
  'nvidia-h20': 'H20',
  'nvidia-h200': 'H200',
  'nvidia-h200-nvl': 'H200-NVL',
  'nvidia-gh200-480gb': 'GH200',
  'nvidia-b200': 'B200',
  'nvidia-b300': 'B300',
  'nvidia-gb200': 'GB200',
  'nvidia-gb300': 'GB300',
  'nvidia-rtx-pro-6000-blackwell-server-edition': 'RTX-PRO-6000',
  // cloud.google.com/gke-accelerator, k8s.amazonaws.com/accelerator
  'nvidia-tesla-t4': 'T4',
  'nvidia-tesla-v100': 'V100',
  'nvidia-tesla-a100': 'A100-40',
  'nvidia-a100-80gb': 'A100-80',
  'nvidia-h100-80gb': 'H100',
  'nvidia-h100-mega-80gb': 'H100',
  'nvidia-h200-141gb': 'H200',
  'nvidia-rtx-pro-6000': 'RTX-PRO-6000',
  // karpenter.k8s.aws/instance-gpu-name
  t4: 'T4',
  v100: 'V100',
  a10g: 'A10G',
  l4: 'L4',
  l40s: 'L40S',
  h100: 'H100',
  h200: 'H200',
  b200: 'B200',
  b300: 'B300',
  gb200: 'GB200',
  // gpu.nvidia.com/class
  a40: 'A40',
  a100_pcie_40gb: 'A100-40',
  a100_nvlink: 'A100-40',
  a100_nvlink_80gb: 'A100-80',
  a100_pcie_80gb: 'A100-80',
  h100_pcie: 'H100-PCIE',
  h100_nvlink_80gb: 'H100',
  gh200_480gb: 'GH200',
  // amd.com/gpu.product-name
  amd_instinct_mi210: 'MI210',
  amd_instinct_mi250x: 'MI250X',
  amd_instinct_mi300x: 'MI300X',
  amd_instinct_mi300x_oam: 'MI300X',
  amd_instinct_mi325x_oam: 'MI325X',
  amd_instinct_mi350x: 'MI350X',
  amd_instinct_mi355x: 'MI355X',
  // gpu.intel.com/product
  max_1100: 'MAX-1100',
  max_1550: 'MAX-1550',
  flex_140: 'FLEX-140',
  flex_170: 'FLEX-170',
};

/** A part of a GPU: shared in time, or a MIG instance. What the whole one serves does not hold for it. */
const part = /-(SHARED|MIG-.*)$/i;

/**
 * The GPU type of a label's value; an unknown one is its own type, and a part of a GPU is a type of its own.
 * @example gpuOfProduct('NVIDIA-H100-80GB-HBM3-SHARED') // => 'H100-SHARED'
 */
export const gpuOfProduct = (product: string): string => {
  const [suffix = ''] = part.exec(product) ?? [];
  const whole = product.slice(0, product.length - suffix.length);
  const type = Object.hasOwn(types, whole.toLowerCase()) ? types[whole.toLowerCase()] : undefined;
  return type === undefined ? product : type + suffix;
};

/** Labels by which GPU types are known. @param own keys of the user's, which count first */
export const gpuLabels = (own: readonly string[] = []): readonly string[] => [...own, ...gpuLabelKeys];

/**
 * The GPU type that labels name; null where they name none.
 * @param keys see {@link gpuLabels}
 */
export const gpuOfLabels = (labels: Readonly<Record<string, string>>, keys: readonly string[]): string | null => {
  const key = keys.find((label) => (labels[label] ?? '') !== '');
  if (key === undefined) return null;
  const value = labels[key]!;
  // Karpenter calls both by one name, and has another label for the memory (MiB).
  if (value === 'a100') return Number(labels[key.replace(/-name$/, '-memory')] ?? 0) > 50_000 ? 'A100-80' : 'A100-40';
  return gpuOfProduct(value);
};

/** Resources that are whole GPUs: `nvidia.com/gpu`, `amd.com/gpu`, those of Intel's plugins, Gaudi. */
const gpuResource = /^([^/]+\/gpu|gpu\.intel\.com\/(i915|xe)|habana\.ai\/gaudi)$/;

/** GPUs among quantities of resources, of whatever vendor. @example gpusAmong({ cpu: '4', 'amd.com/gpu': '2' }) // => 2 */
export const gpusAmong = (quantities: Quantities): number =>
  Object.entries(quantities).reduce((sum, [name, count]) => (gpuResource.test(name) ? sum + Number(count) : sum), 0);
