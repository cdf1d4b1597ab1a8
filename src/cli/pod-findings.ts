import { type Condition, objectKey } from '../cluster/kubernetes-object.ts';
import { type Finding, wrong } from './finding.ts';

/** A pod, as far as it says why it is not Ready. */
export interface PodStatus {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly {
      readonly name: string;
      readonly restartCount?: number;
      readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
    }[];
  };
}

/** Why a pod of ours does not become Ready, as Kubernetes says it; null = it may yet. @param deployment `namespace/name` */
export const podFinding = (deployment: string, { metadata, status }: PodStatus): Finding | null => {
  if (metadata.deletionTimestamp !== undefined) return null;
  const it = `Pod ${objectKey(metadata)}`;
  const describe = `kubectl describe pod ${metadata.name} -n ${metadata.namespace}`;
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False')
    return wrong('pod-failing', it, `finds no place (${deployment}): ${scheduled.reason}: ${scheduled.message ?? ''}`, describe);
  for (const { name, restartCount = 0, state } of status?.containerStatuses ?? []) {
    const { reason, message } = state?.waiting ?? {};
    if (reason === undefined || reason === 'ContainerCreating' || reason === 'PodInitializing') continue;
    const logs = `kubectl logs ${metadata.name} -n ${metadata.namespace} -c ${name}${restartCount > 0 ? ' --previous' : ''}`;
    const seen = `does not start (${deployment}): ${reason}, ${restartCount} restarts${message === undefined ? '' : `: ${message}`}`;
    return wrong('pod-failing', it, seen, /Image/.test(reason) ? describe : logs);
  }
  return null;
};

/** Pods that fail alike are named once. */
export const podFindings = (pods: readonly { readonly deployment: string; readonly pod: PodStatus }[]): readonly Finding[] => {
  const first = new Map<string, Finding>();
  for (const { deployment, pod } of pods) {
    const found = podFinding(deployment, pod);
    if (found !== null && !first.has(deployment)) first.set(deployment, found);
  }
  return [...first.values()];
};
