import type { KubernetesObject } from './kubernetes-object.ts';
import { type DeviceSlice, type GpuHolder, gpuDriver } from './stock.ts';

/** A ResourceClaim that holds devices of NVIDIA's driver (DRA). */
export interface DeviceClaim {
  readonly namespace: string;
  /** Names of the pods that it is reserved for, or else of the one that it was made for. */
  readonly pods: readonly string[];
  readonly devices: readonly Device[];
}

interface Device {
  readonly pool: string;
  readonly name: string;
}

export interface ClaimObject extends KubernetesObject {
  readonly status?: {
    readonly allocation?: {
      readonly devices?: {
        readonly results?: readonly {
          readonly driver: string;
          readonly pool: string;
          readonly device: string;
          readonly adminAccess?: boolean;
        }[];
      };
    };
    readonly reservedFor?: readonly { readonly resource: string; readonly name: string }[];
  };
}

/** On claims that the scheduler makes for pods that ask for `nvidia.com/gpu`: they are counted by what they ask for. */
const extendedResourceKey = 'resource.kubernetes.io/extended-resource-claim';

/**
 * Null where it holds no GPU: it is not allocated, of another driver, or only looks on (`adminAccess`). A claim holds its
 * devices until it is deallocated, whether or not its pods still run.
 */
export const deviceClaim = ({ metadata, status }: ClaimObject): DeviceClaim | null => {
  const devices = (status?.allocation?.devices?.results ?? [])
    .filter(({ driver, adminAccess }) => driver === gpuDriver && adminAccess !== true)
    .map(({ pool, device }) => ({ pool, name: device }));
  if (devices.length === 0 || extendedResourceKey in (metadata.annotations ?? {})) return null;
  const reserved = (status?.reservedFor ?? []).filter(({ resource }) => resource === 'pods');
  const owners = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'Pod');
  return {
    namespace: metadata.namespace ?? '',
    pods: (reserved.length > 0 ? reserved : owners).map(({ name }) => name),
    devices,
  };
};

/**
 * Who holds which whole GPUs by claim, per claim and Node. A device that several claims share is held once; what is no whole
 * GPU, or in no slice, is left out.
 * @param deploymentOf the Deployment of a pod, by `namespace/name`; empty = it belongs to none
 */
export const claimedDevices = (
  claims: readonly DeviceClaim[],
  slices: readonly DeviceSlice[],
  deploymentOf: (pod: string) => string,
): readonly GpuHolder[] => {
  const nodes = new Map(
    slices.flatMap(({ node, pool, devices }) => Object.keys(devices).map((name) => [deviceKey({ pool, name }), node])),
  );
  return claims.flatMap(({ namespace, pods, devices }) => {
    const deployment = pods.map((pod) => deploymentOf(`${namespace}/${pod}`)).find((name) => name !== '') ?? '';
    const nodeOfEach = devices.flatMap((device) => {
      const node = nodes.get(deviceKey(device));
      nodes.delete(deviceKey(device));
      return node ?? [];
    });
    return [...Map.groupBy(nodeOfEach, (node) => node)].map(([node, of]) => ({
      namespace,
      deployment,
      node,
      gpus: of.length,
      byClaim: true,
    }));
  });
};

const deviceKey = ({ pool, name }: Device): string => `${pool}/${name}`;
