/** What the NVIDIA device plugin calls a GPU (`nvidia.com/gpu.product`) and what it is sold as. */
const products: Readonly<Record<string, string>> = {
  'Tesla-T4': 'T4',
  'Tesla-V100-SXM2-16GB': 'V100',
  'Tesla-V100-SXM2-32GB': 'V100',
  'Tesla-V100-PCIE-16GB': 'V100',
  'NVIDIA-A10': 'A10',
  'NVIDIA-A10G': 'A10G',
  'NVIDIA-A40': 'A40',
  'NVIDIA-L4': 'L4',
  'NVIDIA-L20': 'L20',
  'NVIDIA-L40S': 'L40S',
  'NVIDIA-A100-SXM4-40GB': 'A100-40',
  'NVIDIA-A100-PCIE-40GB': 'A100-40',
  'NVIDIA-A100-SXM4-80GB': 'A100-80',
  'NVIDIA-A100-80GB-PCIe': 'A100-80',
  'NVIDIA-H100-80GB-HBM3': 'H100',
  'NVIDIA-H100-PCIe': 'H100-PCIE',
  'NVIDIA-H200': 'H200',
  'NVIDIA-B200': 'B200',
};

/** The GPU type of a product label; an unknown product is its own type. */
export const gpuOfProduct = (product: string): string => products[product] ?? product;
