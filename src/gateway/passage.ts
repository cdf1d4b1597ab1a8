import type { ServerResponse } from 'node:http';
import type { OneRequestCounter } from './count-one-request.ts';
import type { ModelFront } from './model-fronts.ts';
import type { Pod } from './model-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import type { PodRequest } from './pod-connections.ts';
import type { Refusal } from './refusals.ts';

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
