import type { ModelPod } from '../vocabulary/target.ts';
import { gpusAmong } from './gpu-types.ts';
import type { Condition, KubernetesObject, Quantities } from './kubernetes-object.ts';

/** What is kept of a pod that belongs to a Deployment, or holds GPUs. */
export interface DeploymentPod extends ModelPod {
  /** Empty = it belongs to none. */
  readonly deployment: string;
  /** Ready and not on its way out. */
  readonly ready: boolean;
  readonly ip: string | null;
  /** Changes when the pod is replaced, its image changes or a container restarts. */
  readonly incarnation: string;
  /** GPUs that it takes. */
  readonly gpus: number;
  /** Where it was placed; null = nowhere yet. */
  readonly node: string | null;
  /** Unix s. */
  readonly createdAt: number;
  /** When it became Ready, or ceased to be (Unix s); null = neither yet. */
  readonly readinessAt: number | null;
  /** When the scheduler found a place for it (Unix s); null = not yet. */
  readonly placedAt: number | null;
  /** The scheduler has found no place for it. */
  readonly unschedulable: boolean;
  /** Succeeded or failed: it runs no more, and holds nothing. */
  readonly ended: boolean;
  /** It was told to end: it takes no new requests, and holds its GPUs until it has. */
  readonly terminating: boolean;
}

export interface PodObject extends KubernetesObject {
  readonly spec?: {
    readonly nodeName?: string;
    readonly containers?: readonly ContainerObject[];
    readonly initContainers?: readonly ContainerObject[];
  };
  readonly status?: {
    readonly phase?: string;
    readonly podIP?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly imageID: string }[];
  };
}
interface ContainerObject {
  readonly resources?: { readonly limits?: Quantities; readonly requests?: Quantities };
}

/**
 * A pod of a Deployment, in any phase, or one that holds GPUs; null for others. A Deployment's ReplicaSet is called
 * `<deployment>-<pod-template-hash>`, so no ReplicaSet has to be read.
 */
export const deploymentPod = ({ metadata, spec, status }: PodObject): DeploymentPod | null => {
  const { labels = {}, namespace = '', name, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ kind, controller }) => kind === 'ReplicaSet' && controller === true);
  const suffix = `-${labels['pod-template-hash']}`;
  const deployment = owner?.name.endsWith(suffix) ? owner.name.slice(0, -suffix.length) : '';
  const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  const gpus = ended ? 0 : gpusOf(spec);
  if (deployment === '' && gpus === 0) return null;
  const condition = (type: string) => status?.conditions?.find((one) => one.type === type);
  const readiness = condition('Ready');
  const placement = condition('PodScheduled');
  const containers = (status?.containerStatuses ?? []).map(({ restartCount, imageID }) => `${imageID}*${restartCount}`);
  return {
    namespace,
    name,
    deployment,
    labels: deployment === '' ? {} : labels,
    ready: readiness?.status === 'True' && metadata.deletionTimestamp === undefined,
    ip: status?.podIP ?? null,
    incarnation: [metadata.uid, ...containers].join(' '),
    gpus,
    node: spec?.nodeName ?? null,
    createdAt: unixSeconds(metadata.creationTimestamp) ?? 0,
    readinessAt: unixSeconds(readiness?.lastTransitionTime),
    placedAt: placement?.status === 'True' ? unixSeconds(placement.lastTransitionTime) : null,
    unschedulable: placement?.status === 'False' && placement.reason === 'Unschedulable',
    ended,
    terminating: metadata.deletionTimestamp !== undefined,
  };
};

/** All containers at once, or the init container that takes most. */
const gpusOf = (spec: PodObject['spec']): number => {
  const each = (containers: readonly ContainerObject[] = []) =>
    containers.map(({ resources }) => gpusAmong({ ...resources?.requests, ...resources?.limits }));
  const together = each(spec?.containers).reduce((sum, gpus) => sum + gpus, 0);
  return Math.max(together, ...each(spec?.initContainers));
};

const unixSeconds = (time: string | undefined): number | null => (time === undefined ? null : Date.parse(time) / 1000);

/** Label of a pod: where its engine takes requests. AIBrix's gateway goes there. */
export const portKey = 'model.aibrix.ai/port';

/** Where a pod serves its engine's metrics. @param port if no label says so */
export const metricsUrl = ({ ip, labels }: DeploymentPod, port: number): string =>
  `http://${hostOf(String(ip))}:${labels['model.aibrix.ai/metric-port'] ?? labels[portKey] ?? port}/metrics`;

/** Where a pod takes requests by its own label; null where it has no address, or no label that names a port. */
export const labelledOrigin = ({ ip, labels }: DeploymentPod): string | null => {
  const port = labels[portKey] ?? '';
  return ip !== null && /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536
    ? `http://${hostOf(ip)}:${port}`
    : null;
};

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);
