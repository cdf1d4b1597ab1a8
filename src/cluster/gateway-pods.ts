import type { DeploymentPod } from './pods.ts';

/**
 * The gateway's pods, in any phase.
 * @param selector name of their Deployment, or labels `key=value,key=value`
 */
export const selectedPods = (pods: ReadonlyMap<string, DeploymentPod>, selector: string): (() => readonly DeploymentPod[]) => {
  const labels = selector.includes('=') ? selector.split(',').map((term) => term.split('=') as [string, string]) : null;
  const selected = (pod: DeploymentPod): boolean =>
    labels === null ? pod.deployment === selector : labels.every(([key, value]) => pod.labels[key] === value);
  return () => [...pods.values()].filter(selected);
};

/**
 * Since when all of them have been Ready and the same (Unix s), as far as it was asked; null = they are not, or there are
 * none.
 */
export const unchangedSince = (gatewayPods: () => readonly DeploymentPod[]) => {
  let last = '';
  let since: number | null = null;
  return (now: number): number | null => {
    const pods = gatewayPods();
    const allReady = pods.every(({ ready }) => ready);
    const incarnations = allReady
      ? pods
          .map(({ incarnation }) => incarnation)
          .sort()
          .join('\n')
      : '';
    if (incarnations === '') since = null;
    else if (incarnations !== last || since === null) since = now;
    last = incarnations;
    return since;
  };
};
