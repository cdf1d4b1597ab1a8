import type { ServerResponse } from 'node:http';
import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import type { RequestCounts } from '../workload/request-counts.ts';
import type { OneRequestCounter } from './count-one-request.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { FrontSettings, ModelFront } from './model-fronts.ts';
import type { ModelPods, Pod } from './model-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import type { PodConnections, PodRequest } from './pod-connections.ts';
import type { Refusal } from './refusals.ts';
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

/** A request on its way. */
export interface Passage {
  readonly request: GatewayRequest;
  readonly to: Pick<PodRequest, 'path' | 'headers'>;
  readonly response: ServerResponse;
  readonly front: ModelFront;
  readonly counter: OneRequestCounter;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** The pod that alone can serve it, as it keeps what the request goes on from; null = any. */
  readonly onlyOrigin: string | null;
  readonly startedAt: number;
  /** The client has left, or the time is over. */
  readonly stop: AbortController;
  /** Pods that have failed it, and what became of it at the last one; null = nothing that the client should be told. */
  readonly tried: Set<Pod>;
  last: Refusal | null;
}
