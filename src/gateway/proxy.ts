import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { GatewayParts, GatewaySettings, ModelState, Passage } from './gateway-types.ts';
import { hasNoPods } from './model-pods.ts';
import { createOffer } from './offer-to-pods.ts';
import type { GatewayRequest } from './openai-request.ts';
import { passedOn } from './pod-connections.ts';
import { createPlaces } from './pod-places.ts';
import { type Refusal, refuse, tooLong, tooMany, unknownModel } from './refusals.ts';

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
  /** Requests that wait for a model that has no pod; null = none. */
  held(model: string): Held | null;
  waiting(model: string): number;
  inFlight(): number;
}

export const createGateway = (parts: GatewayParts, settings: GatewaySettings): Gateway => {
  const { modelPods, metrics, clock } = parts;
  const places = createPlaces(parts, settings);
  const offer = createOffer(parts, settings, places);
  let inFlight = 0;

  /** Finds a pod for the request until one has answered, or nobody can. */
  const passage = async (one: Passage): Promise<Refusal | 'done' | 'stopped'> => {
    const { request, response, state, stop, tried } = one;
    const isOver = (): boolean => stop.signal.aborted || response.destroyed;
    while (!isOver()) {
      const place = await places.place(one);
      if (place === null) break;
      if (!('pod' in place)) return place;
      if (isOver()) {
        places.leave(one, place);
        places.callWaiting(request.model, state);
        break;
      }
      const result = await offer(one, place);
      if (result === 'done') return 'done';
      if (result === null) break;
      if (tried.size >= settings.attempts) return result;
      one.last = result;
      metrics.retried(request.model);
    }
    return 'stopped';
  };

  return {
    serve: async (request, path, headers, response) => {
      if (modelPods.variants(request.model) === undefined) {
        metrics.rejected('', 'unknown model');
        return refuse(response, unknownModel(request.model));
      }
      if (inFlight >= settings.mostRequests) {
        metrics.rejected(request.model, 'too many requests');
        return refuse(response, tooMany(`${settings.mostRequests} requests are in flight`));
      }
      const state = places.stateOf(request.model);
      const stop = new AbortController();
      const leave = (): void => stop.abort();
      response.on('close', leave);
      const timer = setTimeout(() => stop.abort('time'), settings.requestSeconds * 1000);
      const counter = parts.counts.counter(request.model);
      counter.arrived();
      inFlight += 1;
      try {
        const result = await passage({
          request,
          // What is read on its way must not be compressed.
          to: { path, headers: { ...passedOn(headers, ['accept-encoding']), 'accept-encoding': 'identity' } },
          response,
          state,
          inputTokens: state.estimate.inputTokens(request),
          outputTokens: request.call === 'embeddings' ? 0 : state.estimate.outputTokens(request.mostOutputTokens),
          startedAt: clock(),
          stop,
          tried: new Set(),
          last: null,
        });
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
    podsChanged: () => {
      for (const [model, state] of places.all()) places.callWaiting(model, state);
    },
    held: (model) => {
      const state = places.all().get(model);
      return state === undefined || !hasNoPods(modelPods.variants(model) ?? new Map()) ? null : heldBy(state);
    },
    waiting: (model) => places.all().get(model)?.room.waiting() ?? 0,
    inFlight: () => inFlight,
  };
};

const heldBy = ({ room, heldInput, heldOutput }: ModelState): Held | null =>
  room.waiting() === 0 ? null : { requests: room.waiting(), inputTokens: heldInput, outputTokens: heldOutput };
