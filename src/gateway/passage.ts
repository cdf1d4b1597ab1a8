import type { ServerResponse } from 'node:http';
import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import type { RequestCounts } from '../workload/request-counts.ts';
import type { chooser, Place } from './choose-pod.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import type { ModelPods, Pod } from './model-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import type { PodConnections, PodRequest } from './pod-connections.ts';
import type { PodTurns } from './pod-turns.ts';
import type { Refusal } from './refusals.ts';
import type { RequestCounter } from './request-counter.ts';
import type { SharedResponses } from './shared-responses.ts';
import type { TokenEstimate } from './token-estimate.ts';
import type { restTimer, WaitingRoom } from './waiting-room.ts';

export interface GatewaySettings {
  /** A variant takes at most so many times the requests in flight that its profile was measured at. */
  readonly overflow: number;
  /** Requests that may be passed on at once, held ones included. */
  readonly mostRequests: number;
  /** Requests of one model that may be held, their bytes together, and how long each (s). */
  readonly heldRequests: number;
  readonly heldBytes: number;
  readonly heldSeconds: number;
  /** Share of the turns that late requests get while others can still have their first token in time, 0 to 1. */
  readonly serveLate: number;
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
  readonly sharedResponses?: SharedResponses;
}

/** What one model has of its own. */
export interface ModelQueue {
  readonly choose: ReturnType<typeof chooser>;
  readonly room: WaitingRoom<Place | Refusal>;
  /** Calls those who wait when a pod has rested. */
  readonly restEnds: ReturnType<typeof restTimer>;
  readonly estimate: TokenEstimate;
  readonly turns: PodTurns;
  heldInput: number;
  heldOutput: number;
}

/** A request on its way. */
export interface Passage {
  readonly request: GatewayRequest;
  readonly to: Pick<PodRequest, 'path' | 'headers'>;
  readonly response: ServerResponse;
  readonly queue: ModelQueue;
  readonly counter: RequestCounter;
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
