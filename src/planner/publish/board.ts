import type { Bounds } from '../../cluster/bounds.ts';
import { objectKey } from '../../cluster/kubernetes-object.ts';
import type { DeploymentPod } from '../../cluster/pods.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import { deploymentKey, ownerKey } from '../../vocabulary/deployment-key.ts';
import type { Plan } from '../../vocabulary/planning-documents.ts';
import type { Decision, Target } from '../../vocabulary/target.ts';
import { targetByKubernetes } from '../report/target-by-kubernetes.ts';
import type { ModelReport, TickOutcome } from '../report/tick-outcome.ts';

export type PlanSummary = Pick<Plan, 'status' | 'cost'>;

/** What is said after a tick, by ourselves or by another replica. */
export type Publication = Pick<TickOutcome, 'targets' | 'models'> & { readonly plan: PlanSummary | null };

/** What gpumix says now. The only state that is shared: the loop publishes, the API and the telemetry read. */
export interface Board {
  publish(publication: Publication, at: number): void;
  /** A Deployment that carries a model; undefined for any other. */
  target(namespace: string, deployment: string): Target | undefined;
  targets(namespace: string): readonly Target[];
  pod(namespace: string, name: string): DeploymentPod | undefined;
  pods(namespace: string): readonly DeploymentPod[];
  allTargets(): readonly Target[];
  models(): readonly ModelReport[];
  /** The last plan, without its routing. */
  plan(): PlanSummary | null;
  /** When the last tick was published (Unix s, our own clock); null = never. */
  publishedAt(): number | null;
}

/** What an earlier leader decided lowers nothing. */
const noLessThan = (running: number, decision: Decision): Decision =>
  decision.restored === true ? { ...decision, replicas: Math.max(running, decision.replicas) } : decision;

/**
 * @param staleAfterSeconds what was published longer ago than this is no answer any more: the loop is stuck
 * @param clock Unix seconds
 * @param boundsAt bounds of autoscalers, by `namespace/name`
 */
export const createBoard = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  allPods: ReadonlyMap<string, DeploymentPod>,
  staleAfterSeconds: number,
  clock: () => number,
  boundsAt: (now: number) => ReadonlyMap<string, Bounds> = () => new Map(),
): Board => {
  /** The API reads them far more often than they change. */
  let bounds = { second: Number.NaN, byKey: new Map() as ReadonlyMap<string, Bounds> };
  const boundsOf = (key: string): Bounds | undefined => {
    const second = Math.floor(clock());
    if (second !== bounds.second) bounds = { second, byKey: boundsAt(clock()) };
    return bounds.byKey.get(key);
  };
  let published: ReadonlyMap<string, Target> = new Map();
  let models: readonly ModelReport[] = [];
  let plan: PlanSummary | null = null;
  let publishedAt: number | null = null;

  const targetOf = (deployment: ModelDeployment): Target =>
    targetByKubernetes(decidedFor(deployment), deployment, boundsOf(deploymentKey(deployment)), clock());
  const decidedFor = (deployment: ModelDeployment): Target => {
    const { namespace, name, labels, replicas } = deployment;
    const target = published.get(deploymentKey(deployment));
    const undecided = (unavailable: string): Target => ({
      namespace,
      deployment: name,
      labels,
      decision: { unavailable },
      standing: target?.standing ?? { replicas, asOf: clock() },
    });
    if (target === undefined) return undecided('no plan yet: gpumix has just seen this Deployment');
    const age = clock() - (publishedAt ?? 0);
    return age > staleAfterSeconds
      ? undecided(`the planner has not finished a tick for ${Math.floor(age)} s`)
      : {
          ...target,
          labels,
          decision: 'replicas' in target.decision ? noLessThan(replicas, target.decision) : target.decision,
          standing: noLessThan(replicas, target.standing),
        };
  };
  const ofModel = (pod: DeploymentPod): boolean => deployments.has(ownerKey(pod));

  return {
    publish: (publication, at) => {
      published = new Map(publication.targets.map((target) => [ownerKey(target), target]));
      models = publication.models;
      if (publication.plan !== null) plan = { status: publication.plan.status, cost: publication.plan.cost };
      publishedAt = at;
    },
    target: (namespace, name) => {
      const deployment = deployments.get(deploymentKey({ namespace, name }));
      return deployment === undefined ? undefined : targetOf(deployment);
    },
    targets: (namespace) => [...deployments.values()].filter((deployment) => deployment.namespace === namespace).map(targetOf),
    pod: (namespace, name) => {
      const pod = allPods.get(objectKey({ namespace, name }));
      return pod !== undefined && ofModel(pod) ? pod : undefined;
    },
    pods: (namespace) => [...allPods.values()].filter((pod) => pod.namespace === namespace && ofModel(pod)),
    allTargets: () => [...deployments.values()].map(targetOf),
    models: () => models,
    plan: () => plan,
    publishedAt: () => publishedAt,
  };
};
