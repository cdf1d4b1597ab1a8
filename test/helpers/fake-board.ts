import type { ReadableBoard } from '../../src/api/api-group.ts';
import type { ModelPod, Target } from '../../src/vocabulary/target.ts';

/** A board that a test writes on. */
export interface FakeBoard extends ReadableBoard {
  readonly set: (target: Target) => void;
  readonly addPod: (pod: ModelPod) => void;
}

export const fakeBoard = (): FakeBoard => {
  const targets = new Map<string, Target>();
  const pods = new Map<string, ModelPod>();
  const inNamespace = <Item extends { namespace: string }>(items: Map<string, Item>, namespace: string) =>
    [...items.values()].filter((item) => item.namespace === namespace);
  return {
    target: (namespace, deployment) => targets.get(`${namespace}/${deployment}`),
    targets: (namespace) => inNamespace(targets, namespace),
    pod: (namespace, name) => pods.get(`${namespace}/${name}`),
    pods: (namespace) => inNamespace(pods, namespace),
    set: (target) => targets.set(`${target.namespace}/${target.deployment}`, target),
    addPod: (pod) => pods.set(`${pod.namespace}/${pod.name}`, pod),
  };
};

/** The time of the examples: 2026-09-30T12:00:05Z. */
export const asOf = 1_790_769_605;

export const decided = (namespace: string, deployment: string, replicas: number, labels = {}): Target => ({
  namespace,
  deployment,
  labels,
  decision: { replicas, asOf },
  standing: { replicas, asOf },
});
export const undecided = (namespace: string, deployment: string, reason: string, standing = 0): Target => ({
  namespace,
  deployment,
  labels: {},
  decision: { unavailable: reason },
  standing: { replicas: standing, asOf },
});
