import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import type { RequestCounts } from '../workload/request-counts.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { FrontSettings } from './model-fronts.ts';
import type { ModelPods } from './model-pods.ts';
import type { PodConnections } from './pod-connections.ts';
import type { SharedResponseOrigins } from './shared-response-origins.ts';

export interface GatewaySettings extends FrontSettings {
  /** Requests that may be passed on at once, held ones included. */
  readonly mostRequests: number;
  /** How long a request may be held (s). */
  readonly heldSeconds: number;
  /** Pods that one request is offered to. */
  readonly attempts: number;
  /** Longest time of one request (s). */
  readonly requestSeconds: number;
}

export interface GatewayParts {
  readonly modelPods: ModelPods;
  readonly plan: (model: string) => RoutingPlan | null;
  readonly connections: PodConnections;
  readonly counts: RequestCounts;
  readonly metrics: GatewayMetrics;
  /** s, steady */
  readonly clock: () => number;
  /** Why no request can be sent to the Ready pods of a model, and what would mend it; null = it can, or none is Ready. */
  readonly unreachable: (model: string) => string | null;
  /** A model without a replica is asked for. */
  readonly onNoPods: (model: string) => void;
  /** Which pods have which responses, as other gateways tell; absent = nobody is asked. */
  readonly sharedResponses?: SharedResponseOrigins;
}
