import type { ModelPod, Target } from '../vocabulary/target.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';

/** All that the API knows of the world: the targets as they are now. Reading it never computes anything. */
export interface ReadableBoard {
  readonly target: (namespace: string, deployment: string) => Target | undefined;
  readonly targets: (namespace: string) => readonly Target[];
  /** A pod of a Deployment that carries a model, in any phase. */
  readonly pod: (namespace: string, name: string) => ModelPod | undefined;
  readonly pods: (namespace: string) => readonly ModelPod[];
}

/** An API group that we serve: what it lists in discovery, and how it answers. */
export interface ApiGroup {
  readonly name: string;
  /** The preferred one first. */
  readonly versions: readonly string[];
  /** Kind of every answer. */
  readonly kind: 'MetricValueList' | 'ExternalMetricValueList';
  /** Names in the resource list: `resource/metric`, or the metric alone. Never none: clients take that for a failure. */
  readonly resources: readonly string[];
  /** Whether that is a metric of ours; any other is the upstream adapter's, where there is one. */
  readonly isOwn: (request: ResourceRequest) => boolean;
  /** The list that `info` asks for. Throws the Status that the caller is to get. */
  readonly answer: (board: ReadableBoard, info: RequestInfo) => MetricList;
}

export interface MetricList {
  readonly kind: ApiGroup['kind'];
  readonly apiVersion: string;
  readonly metadata: object;
  readonly items: readonly { readonly timestamp: string }[];
}

/** One line of a resource list. */
export interface ResourceEntry {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}
