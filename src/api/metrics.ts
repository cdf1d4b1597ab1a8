import type { ModelPod, Target } from '../vocabulary/target.ts';
import type { ReadableBoard } from './api-group.ts';
import type { Labels } from './label-selector.ts';
import { unavailable } from './status.ts';

/** What a metric says of one object at one time. */
export interface MetricValue {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
  /** The time of the data behind the value (Unix seconds). */
  readonly asOf: number;
}

/** A metric of custom.metrics.k8s.io: which kind of object it describes and where its values come from. */
export interface Metric {
  /** Plural and API group, as in the path. */
  readonly resource: string;
  readonly name: string;
  /** Of the objects described. */
  readonly kind: string;
  readonly apiVersion: string;
  /** Undefined for an object that has nothing to do with us; throws a 503 with the reason where nothing is decided. */
  readonly one: (board: ReadableBoard, namespace: string, name: string) => MetricValue | undefined;
  /** Objects that have a value. */
  readonly all: (board: ReadableBoard, namespace: string) => readonly MetricValue[];
}

/** For the HPA: the replicas that a Deployment should have. What is not decided is an error, which makes the HPA hold. */
const targetReplicas: Metric = {
  resource: 'deployments.apps',
  name: 'gpumix_target_replicas',
  kind: 'Deployment',
  apiVersion: 'apps/v1',
  one: (board, namespace, name) => {
    const target = board.target(namespace, name);
    if (target === undefined) return undefined;
    const { decision, labels } = target;
    if ('unavailable' in decision) throw unavailable(decision.unavailable);
    return { name, labels, value: decision.replicas, asOf: decision.asOf };
  },
  all: (board, namespace) =>
    board.targets(namespace).flatMap(({ deployment, labels, decision }) => {
      if ('unavailable' in decision) return [];
      return [{ name: deployment, labels, value: decision.replicas, asOf: decision.asOf }];
    }),
};

/**
 * For AIBrix's PodAutoscaler, which reads one pod, divides by 100 and rounds up, and takes an error for zero: the same
 * total for every pod, half a replica below N so that its tolerance never rounds it away, and never an error.
 */
const targetCenti: Metric = {
  resource: 'pods',
  name: 'gpumix_target_centi',
  kind: 'Pod',
  apiVersion: '/v1', // as Go joins an empty API group and a version
  one: (board, namespace, name) => {
    const pod = board.pod(namespace, name);
    return pod === undefined ? undefined : centiReading(board, pod);
  },
  all: (board, namespace) =>
    board.pods(namespace).flatMap((pod) => {
      const reading = centiReading(board, pod);
      return reading === undefined ? [] : [reading];
    }),
};

const centiReading = (board: ReadableBoard, { namespace, name, deployment, labels }: ModelPod): MetricValue | undefined => {
  const target = board.target(namespace, deployment);
  return target === undefined ? undefined : { name, labels, ...standingCenti(target) };
};

/** What readers get that take an error for zero: always a value. */
export const standingCenti = ({ decision, standing }: Target): Pick<MetricValue, 'value' | 'asOf'> => {
  const { replicas, asOf } = 'replicas' in decision ? decision : standing;
  return { value: centi(replicas), asOf };
};

/** @example centi(3) // => 250 */
export const centi = (replicas: number): number => (replicas === 0 ? 0 : 100 * replicas - 50);

/** Every metric that gpumix serves. */
export const metrics: readonly Metric[] = [targetReplicas, targetCenti];

const aliases = new Map([
  ['deployment', 'deployments.apps'],
  ['deployments', 'deployments.apps'],
  ['pod', 'pods'],
]);

/** The resource as metrics name it: `deployment` and `deployments` stand for `deployments.apps`. */
export const normalizedResource = (resource: string): string => aliases.get(resource) ?? resource;
