import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { apiCalls } from './api-calls.ts';
import { oneRequestCounter } from './count-one-request.ts';
import { createPlaceFinder, type PlaceFinder } from './find-place.ts';
import type { GatewayParts, GatewaySettings } from './gateway-parts.ts';
import { type ModelFront, type ModelFronts, modelFronts } from './model-fronts.ts';
import { hasNoPods } from './model-pods.ts';
import { createOffer } from './offer-to-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import type { Passage } from './passage.ts';
import { passedOn } from './passed-headers.ts';
import { type Refusal, refuse, tooLong, tooMany, unknownModel } from './refusals.ts';
import { type AboutResponse, storedResponses } from './stored-responses.ts';

/** Requests that wait for a model, as the planner is told of them. */
export interface Held {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export interface Gateway {
  /** Answers one request, whatever becomes of it. */
  serve(request: GatewayRequest, path: string, headers: IncomingHttpHeaders, response: ServerResponse): Promise<void>;
  /** Pods have come or gone: those who wait may go on. */
  podsChanged(): void;
  /** Answers a request about a response that an engine keeps. */
  serveStored(about: AboutResponse, response: ServerResponse): Promise<void>;
  /** Requests that wait for a model that has no pod; null = none. */
  held(model: string): Held | null;
  waiting(model: string): number;
  /** Requests that have a pod, and wait for their turn at it. */
  queued(model: string): number;
  inFlight(): number;
}

export const createGateway = (parts: GatewayParts, settings: GatewaySettings): Gateway => {
  const { modelPods, plan, clock } = parts;
  const fronts = modelFronts(plan, clock, settings);
  const places = createPlaceFinder(parts, settings);
  const stored = storedResponses(parts);
  const passOn = passingOn(parts, settings, places, createOffer(parts, settings, places, stored.remember));
  let inFlight = 0;

  return {
    serve: async (request, path, headers, response) => {
      const refusal = refusedAtOnce(request, inFlight, parts, settings);
      if (refusal !== null) return refuse(response, refusal);
      const stop = new AbortController();
      const leave = (): void => stop.abort();
      response.on('close', leave);
      const timer = setTimeout(() => stop.abort('time'), settings.requestSeconds * 1000);
      const counter = oneRequestCounter(parts.counts, request);
      counter.arrived();
      inFlight += 1;
      try {
        const front = fronts.of(request.model);
        const onlyOrigin = request.previousResponse === null ? null : await stored.originOf(request.previousResponse);
        const about = { counter, onlyOrigin, response, startedAt: clock(), stop };
        const result = await passOn({ ...passageOf(request, path, headers, front), ...about });
        if (result === 'done') return;
        counter.failed();
        if (result !== 'stopped') return refuse(response, result);
        if (stop.signal.reason === 'time') refuse(response, tooLong(`the request took longer than ${settings.requestSeconds} s`));
      } finally {
        inFlight -= 1;
        clearTimeout(timer);
        response.off('close', leave);
      }
    },
    serveStored: stored.serve,
    podsChanged: () => podsChanged(parts, fronts, places),
    held: (model) => {
      const front = fronts.existing().get(model);
      return front === undefined || !hasNoPods(modelPods.variants(model) ?? new Map()) ? null : heldAt(front);
    },
    waiting: (model) => fronts.existing().get(model)?.room.waiting() ?? 0,
    queued: (model) => fronts.existing().get(model)?.turns.waiting() ?? 0,
    inFlight: () => inFlight,
  };
};

/** Why a request is refused before it is counted; null = it is not. */
const refusedAtOnce = (
  { model }: GatewayRequest,
  inFlight: number,
  { modelPods, metrics }: GatewayParts,
  { mostRequests }: GatewaySettings,
): Refusal | null => {
  if (modelPods.variants(model) === undefined) {
    metrics.rejected('', 'unknown model');
    return unknownModel(model);
  }
  if (inFlight < mostRequests) return null;
  metrics.rejected(model, 'too many requests');
  return tooMany(`${mostRequests} requests are in flight`);
};

/** Finds a pod for a request until one has answered, or nobody can. */
const passingOn =
  (parts: GatewayParts, settings: GatewaySettings, places: PlaceFinder, offer: ReturnType<typeof createOffer>) =>
  async (passage: Passage): Promise<Refusal | 'done' | 'stopped'> => {
    const { request, response, front, stop, tried } = passage;
    const isOver = (): boolean => stop.signal.aborted || response.destroyed;
    while (!isOver()) {
      const found = await places.find(passage);
      if (found === null) break;
      if (!('pod' in found)) return found;
      const place = await places.awaitTurn(passage, found);
      if (place === 'gone') continue;
      if (place === null) break;
      if (isOver()) {
        places.leave(passage, place);
        places.callWaiting(request.model, front);
        break;
      }
      const result = await offer(passage, place);
      if (result === 'done') return 'done';
      if (result === null) break;
      if (tried.size >= settings.attempts) return result;
      passage.last = result;
      parts.metrics.retried(request.model);
    }
    return 'stopped';
  };

const podsChanged = ({ modelPods }: GatewayParts, fronts: ModelFronts, places: PlaceFinder): void => {
  for (const [model, front] of fronts.existing()) {
    front.turns.podsAre([...(modelPods.variants(model)?.values() ?? [])].flat());
    places.callWaiting(model, front);
  }
};

const heldAt = ({ room, heldInput, heldOutput }: ModelFront): Held | null =>
  room.waiting() === 0 ? null : { requests: room.waiting(), inputTokens: heldInput, outputTokens: heldOutput };

/** A request on its way, and what its answer will be taken for until the engine says. */
const passageOf = (
  request: GatewayRequest,
  path: string,
  headers: IncomingHttpHeaders,
  front: ModelFront,
): Omit<Passage, 'counter' | 'onlyOrigin' | 'response' | 'startedAt' | 'stop'> => ({
  request,
  // What is read on its way must not be compressed.
  to: { path, headers: { ...passedOn(headers, ['accept-encoding']), 'accept-encoding': 'identity' } },
  front,
  inputTokens: front.estimate.inputTokens(request),
  outputTokens: apiCalls[request.call].makesTokens ? front.estimate.outputTokens(request.mostOutputTokens) : 0,
  tried: new Set(),
  last: null,
});
