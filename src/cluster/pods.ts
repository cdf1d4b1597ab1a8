import type { ModelPod } from '../domain.ts';

/** What is kept of a pod that belongs to a Deployment. */
export interface DeploymentPod extends ModelPod {
  readonly ready: boolean;
  readonly ip: string | null;
  /** Changes when the pod is replaced, its image changes or a container restarts. */
  readonly incarnation: string;
}

export interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly controller?: boolean;
    }[];
  };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number; readonly imageID: string }[];
  };
}

/**
 * A pod of a Deployment, in any phase; null for other pods. Its ReplicaSet is called `<deployment>-<pod-template-hash>`, so
 * no ReplicaSet has to be read.
 */
export const deploymentPod = ({ metadata, status }: PodObject): DeploymentPod | null => {
  const { labels = {}, namespace = '', name, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ kind, controller }) => kind === 'ReplicaSet' && controller === true);
  const suffix = `-${labels['pod-template-hash']}`;
  if (owner === undefined || !owner.name.endsWith(suffix)) return null;
  const containers = (status?.containerStatuses ?? []).map(({ restartCount, imageID }) => `${imageID}*${restartCount}`);
  return {
    namespace,
    name,
    deployment: owner.name.slice(0, -suffix.length),
    labels,
    ready: status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
    ip: status?.podIP ?? null,
    incarnation: [metadata.uid, ...containers].join(' '),
  };
};
