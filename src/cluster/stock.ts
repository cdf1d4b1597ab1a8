import * as z from 'zod/mini';
import { checked, counts } from '../formats/documents.ts';
import { gpuLabels, gpuOfLabels, gpuOfProduct, gpusAmong } from './gpu-types.ts';
import type { Condition, KubernetesObject, Quantities } from './kubernetes-object.ts';
import type { DeploymentPod } from './pods.ts';

/** What the cluster shows of its GPUs, as of one tick. */
export interface Supply {
  /** By name. */
  readonly nodes: ReadonlyMap<string, GpuNode>;
  /** Devices that drivers offer (DRA), one entry per ResourceSlice. */
  readonly slices: readonly DeviceSlice[];
  /** Who holds GPUs or waits for some, our own pods among them. */
  readonly holders: readonly GpuHolder[];
  /** ResourceQuotas on GPUs. */
  readonly quotas: readonly GpuQuota[];
  /** What the user says; null = nothing. */
  readonly limits: StockLimits | null;
}

/** A pod that asks for `nvidia.com/gpu`, or the pod of a ResourceClaim. */
export interface GpuHolder extends Pick<DeploymentPod, 'namespace' | 'deployment' | 'node' | 'gpus'> {
  /** By a claim, of which ResourceQuotas on `requests.nvidia.com/gpu` know nothing. */
  readonly byClaim?: boolean;
}

export interface GpuNode {
  /** null = it has no label that tells. */
  readonly gpu: string | null;
  readonly gpus: number;
  /** Ready, and not cordoned. */
  readonly usable: boolean;
  /** It belongs to a pool that something may make larger. */
  readonly elastic: boolean;
}

export interface DeviceSlice {
  readonly node: string;
  readonly pool: string;
  /** Whole GPUs: name of the device to GPU type. */
  readonly devices: Readonly<Record<string, string>>;
}

export interface GpuQuota {
  readonly namespace: string;
  readonly gpus: number;
}

/** The ConfigMap's document. */
export interface StockLimits {
  /** Most GPUs that the cluster can have, by type: what node pools may grow to. */
  readonly ceilings: Readonly<Record<string, number>>;
  /** GPUs that models may hold in a namespace, by type; `*` = of all types together. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface NodeObject extends KubernetesObject {
  readonly spec?: { readonly unschedulable?: boolean };
  readonly status?: { readonly allocatable?: Quantities; readonly conditions?: readonly Condition[] };
}

/** Labels and annotations by which node pools that may grow name themselves: Karpenter, EKS, GKE, AKS, Cluster API. */
const poolKeys = [
  'karpenter.sh/nodepool',
  'eks.amazonaws.com/nodegroup',
  'cloud.google.com/gke-nodepool',
  'kubernetes.azure.com/agentpool',
  'cluster.x-k8s.io/machine',
];

/** @param labelKeys labels by which GPU types are known */
export const gpuNode = ({ metadata, spec, status }: NodeObject, labelKeys: readonly string[] = gpuLabels()): GpuNode => {
  const ready = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
  return {
    gpu: gpuOfLabels(metadata.labels ?? {}, labelKeys),
    gpus: gpusAmong(status?.allocatable ?? {}),
    usable: ready && spec?.unschedulable !== true,
    elastic: poolKeys.some((key) => key in { ...metadata.annotations, ...metadata.labels }),
  };
};

export interface SliceObject extends KubernetesObject {
  readonly spec?: {
    readonly driver?: string;
    readonly nodeName?: string;
    readonly pool?: { readonly name: string };
    readonly devices?: readonly {
      readonly name: string;
      readonly attributes?: Readonly<Record<string, { readonly string?: string }>>;
    }[];
  };
}

/** The name of NVIDIA's driver for whole GPUs and parts of them. */
export const gpuDriver = 'gpu.nvidia.com';

/**
 * Whole GPUs of NVIDIA's driver on one Node; null for any other slice. It writes product names with spaces, labels have
 * hyphens.
 */
export const deviceSlice = ({ spec }: SliceObject): DeviceSlice | null => {
  if (spec?.driver !== gpuDriver || spec.nodeName === undefined) return null;
  const devices = (spec.devices ?? []).flatMap(({ name, attributes }) => {
    const product = attributes?.['productName']?.string;
    if (product === undefined || attributes?.['type']?.string !== 'gpu') return [];
    return [[name, gpuOfProduct(product.replaceAll(' ', '-'))] as const];
  });
  return { node: spec.nodeName, pool: spec.pool?.name ?? '', devices: Object.fromEntries(devices) };
};

export interface QuotaObject extends KubernetesObject {
  readonly spec?: {
    readonly hard?: Quantities;
    readonly scopes?: readonly string[];
    readonly scopeSelector?: unknown;
  };
}

/** Null where it says nothing of GPUs, or only of some pods: whether ours are among them is not known. */
export const gpuQuota = ({ metadata, spec }: QuotaObject): GpuQuota | null => {
  const hard = spec?.hard?.['requests.nvidia.com/gpu'];
  if (hard === undefined || spec?.scopes !== undefined || spec?.scopeSelector !== undefined) return null;
  return { namespace: metadata.namespace ?? '', gpus: Number(hard) };
};

/** The format of the ConfigMap's document. */
export const stockSchema = z.strictObject({
  ceilings: z.nullish(counts),
  namespaces: z.nullish(z.record(z.string(), z.nullish(counts))),
});

/**
 * Reads the ConfigMap's document.
 * @returns the limits, or in one line what is wrong with them
 */
export const stockLimits = (document: unknown): StockLimits | string => {
  const read = checked(stockSchema, document ?? {});
  if ('problems' in read) return read.problems.join('; ');
  const { ceilings, namespaces } = read.document;
  return {
    ceilings: ceilings ?? {},
    namespaces: Object.fromEntries(Object.entries(namespaces ?? {}).map(([name, types]) => [name, types ?? {}])),
  };
};
