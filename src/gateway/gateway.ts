import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { RoutingPlan } from '../domain.ts';
import type { RequestCounts } from '../workload/request-counts.ts';
import { type Choice, chooser, type Why } from './choose.ts';
import { answered, type Fleet, failed, type Pod, type Variants } from './fleet.ts';
import { passedOn } from './headers.ts';
import { noAnswer, notReady, type Refusal, refuse, tooLong, tooMany, unknownModel } from './refusals.ts';
import { relay } from './relay.ts';
import type { GatewayRequest } from './request.ts';
import type { GatewayMetrics } from './telemetry.ts';
import { type TokenEstimate, tokenEstimate } from './token-estimate.ts';
import type { Upstream, UpstreamAnswer } from './upstream.ts';
import { type WaitingRoom, waitingRoom } from './waiting-room.ts';

export interface GatewaySettings {
  /** A variant takes at most so many times the requests in flight that its profile was measured at. */
  readonly overflow: number;
  /** Requests that may be passed on at once, held ones included. */
  readonly mostRequests: number;
  /** Requests of one model that may be held, their bytes together, and how long each (s). */
  readonly heldRequests: number;
  readonly heldBytes: number;
  readonly heldSeconds: number;
  /** Pods that one request is offered to. */
  readonly attempts: number;
  /** Longest time of one request (s). */
  readonly requestSeconds: number;
}

export interface GatewayParts {
  readonly fleet: Fleet;
  readonly plan: (model: string) => RoutingPlan | null;
  readonly upstream: Upstream;
  readonly counts: RequestCounts;
  readonly metrics: GatewayMetrics;
  /** s, steady */
  readonly clock: () => number;
  /** A model without a replica is asked for. */
  readonly onAsleep: (model: string) => void;
}

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
  fleetChanged(): void;
  /** Requests that wait for a model that has no pod; null = none. */
  held(model: string): Held | null;
  waiting(model: string): number;
  inFlight(): number;
}

/** What one model has of its own. */
interface ModelState {
  readonly choose: ReturnType<typeof chooser>;
  readonly room: WaitingRoom;
  readonly estimate: TokenEstimate;
  /** Called from the room, and not yet at a pod. */
  called: number;
  heldInput: number;
  heldOutput: number;
}

/** A request on its way. */
interface Passage {
  readonly request: GatewayRequest;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly response: ServerResponse;
  readonly state: ModelState;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly startedAt: number;
  /** The client has left, or the time is over. */
  readonly stop: AbortController;
  readonly tried: Set<Pod>;
}

/** Busy or broken: another pod may do better. */
const worthAnotherPod = new Set([429, 502, 503, 504]);

export const createGateway = (parts: GatewayParts, settings: GatewaySettings): Gateway => {
  const { fleet, metrics, clock } = parts;
  const models = new Map<string, ModelState>();
  let inFlight = 0;
  const stateOf = (model: string): ModelState => {
    const known = models.get(model);
    if (known !== undefined) return known;
    const state: ModelState = {
      choose: chooser(settings.overflow),
      room: waitingRoom({ requests: settings.heldRequests, bytes: settings.heldBytes }),
      estimate: tokenEstimate(),
      called: 0,
      heldInput: 0,
      heldOutput: 0,
    };
    models.set(model, state);
    return state;
  };

  /** Lets as many of those who wait go on as there is room for now. */
  const callWaiting = (model: string, state: ModelState): void => {
    const waiting = state.room.waiting();
    const variants = fleet.variants(model);
    if (waiting === 0 || variants === undefined) return;
    const free = freePlaces(variants, parts.plan(model), settings.overflow) - state.called;
    if (free < 1) return;
    state.called += Math.min(free, waiting);
    state.room.call(Math.min(free, waiting));
  };

  /** Waits for a place; a refusal where there is none. */
  const wait = async (passage: Passage, why: 'full' | 'none'): Promise<Refusal | null> => {
    const { request, state, stop, startedAt, inputTokens, outputTokens } = passage;
    const left = settings.heldSeconds - (clock() - startedAt);
    const turn = state.room.enter(request.body.length, Math.max(0, left), stop.signal);
    const what = why === 'none' ? 'has no replica yet' : 'is busy';
    if (turn === null) {
      metrics.rejected(request.model, 'no room');
      return tooMany(`${request.model} ${what}, and as many requests wait for it as may`);
    }
    metrics.held(request.model);
    state.heldInput += inputTokens;
    state.heldOutput += outputTokens;
    if (why === 'none') parts.onAsleep(request.model);
    const released = await turn;
    state.heldInput -= inputTokens;
    state.heldOutput -= outputTokens;
    if (released === 'go') state.called -= 1;
    if (released !== 'timeout') return null;
    metrics.rejected(request.model, 'waited too long');
    const waited = `${request.model} ${what}; the request waited ${settings.heldSeconds} s`;
    return why === 'none' ? notReady(waited) : tooMany(waited);
  };

  /** One offer to one pod. Null = another may be asked. */
  const offer = async (passage: Passage, pod: Pod, why: Why): Promise<Refusal | 'done' | null> => {
    const { request, state, stop, tried } = passage;
    const work = passage.inputTokens + passage.outputTokens;
    pod.requests += 1;
    pod.given += 1;
    pod.work += work;
    try {
      const answer = await parts.upstream.ask(pod.origin, passage.path, passage.headers, request.body, stop.signal);
      if (stop.signal.aborted) return null;
      if (typeof answer === 'string') {
        failed(pod, clock());
        tried.add(pod);
        return noAnswer(`no replica of ${request.model} answers: ${answer}`);
      }
      const more = tried.size + 1 < settings.attempts && untried(fleet.variants(request.model), tried, pod);
      if (worthAnotherPod.has(answer.status) && more) {
        failed(pod, clock());
        tried.add(pod);
        answer.body.on('error', () => {}).destroy();
        return null;
      }
      return await passOn(passage, pod, why, answer);
    } finally {
      pod.requests -= 1;
      pod.work -= work;
      callWaiting(request.model, state);
    }
  };

  const passOn = async (
    passage: Passage,
    pod: Pod,
    why: Why,
    answer: UpstreamAnswer,
  ): Promise<Refusal | 'done' | null> => {
    const { request, response, state, startedAt, tried } = passage;
    const about = { model: request.model, variant: pod.variant, inputTokens: passage.inputTokens };
    const relayed = await relay(answer, response, {
      strip: request.stream && !request.usageAsked,
      onFirstByte: () => metrics.firstByte(about, clock() - startedAt),
    });
    const counter = parts.counts.counter(request.model);
    if (relayed.outcome === 'broken') {
      failed(pod, clock());
      tried.add(pod);
      if (!relayed.started) return noAnswer(`a replica of ${request.model} broke off: ${relayed.reason}`);
      response.destroy();
      counter.failed();
      metrics.answered(about, why, 'broken', clock() - startedAt);
      return 'done';
    }
    answered(pod);
    if (relayed.outcome === 'left' || answer.status !== 200) {
      counter.failed();
      metrics.answered(about, why, relayed.outcome === 'left' ? 'left' : String(answer.status), clock() - startedAt);
      return 'done';
    }
    const inputTokens = relayed.usage?.inputTokens ?? passage.inputTokens;
    const outputTokens = relayed.usage?.outputTokens ?? relayed.contentEvents;
    if (relayed.usage !== null && request.tokens === 0)
      state.estimate.learn(request.characters, inputTokens, outputTokens);
    counter.ended(inputTokens, outputTokens);
    metrics.answered(about, why, '200', clock() - startedAt);
    metrics.tokens(about, inputTokens, outputTokens);
    return 'done';
  };

  /** Finds a pod for the request until one has answered, or nobody can. */
  const passage = async (one: Passage): Promise<Refusal | 'done' | 'stopped'> => {
    const { request, state, stop, tried } = one;
    let last: Refusal | null = null;
    // Nobody overtakes those who wait.
    let behind = state.room.waiting() > 0;
    while (!stop.signal.aborted) {
      const variants = fleet.variants(request.model);
      if (variants === undefined) return unknownModel(request.model);
      const choice: Choice = behind
        ? 'full'
        : state.choose({
            variants,
            plan: parts.plan(request.model),
            inputTokens: one.inputTokens,
            tried,
            now: clock(),
          });
      behind = false;
      if (choice === 'tried') return last ?? noAnswer(`no replica of ${request.model} answers`);
      if (choice === 'full' || choice === 'none') {
        const refusal = wait(one, [...variants.values()].some((pods) => pods.length > 0) ? 'full' : 'none');
        callWaiting(request.model, state);
        const refused = await refusal;
        if (refused !== null) return refused;
        continue;
      }
      const result = await offer(one, choice.pod, choice.why);
      if (result === 'done') return 'done';
      last = result ?? last;
      if (stop.signal.aborted) break;
      if (tried.size >= settings.attempts) return last ?? noAnswer(`no replica of ${request.model} answers`);
      metrics.retried(request.model);
    }
    return 'stopped';
  };

  return {
    serve: async (request, path, headers, response) => {
      if (fleet.variants(request.model) === undefined) {
        metrics.rejected('', 'unknown model');
        return refuse(response, unknownModel(request.model));
      }
      if (inFlight >= settings.mostRequests) {
        metrics.rejected(request.model, 'too many requests');
        return refuse(response, tooMany(`${settings.mostRequests} requests are in flight`));
      }
      const state = stateOf(request.model);
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
          path,
          // What is read on its way must not be compressed.
          headers: { ...passedOn(headers, ['accept-encoding']), 'accept-encoding': 'identity' },
          response,
          state,
          inputTokens: request.tokens + (request.characters > 0 ? state.estimate.inputTokens(request.characters) : 0),
          outputTokens: request.call === 'embeddings' ? 0 : state.estimate.outputTokens(request.mostOutputTokens),
          startedAt: clock(),
          stop,
          tried: new Set(),
        });
        if (result === 'done') return;
        counter.failed();
        if (result !== 'stopped') return refuse(response, result);
        if (stop.signal.reason === 'time')
          refuse(response, tooLong(`the request took longer than ${settings.requestSeconds} s`));
      } finally {
        inFlight -= 1;
        clearTimeout(timer);
        response.off('close', leave);
      }
    },
    fleetChanged: () => {
      for (const [model, state] of models) callWaiting(model, state);
    },
    held: (model) => {
      const state = models.get(model);
      const asleep = ![...(fleet.variants(model)?.values() ?? [])].some((pods) => pods.length > 0);
      if (state === undefined || !asleep || state.room.waiting() === 0) return null;
      return { requests: state.room.waiting(), inputTokens: state.heldInput, outputTokens: state.heldOutput };
    },
    waiting: (model) => models.get(model)?.room.waiting() ?? 0,
    inFlight: () => inFlight,
  };
};

const untried = (variants: Variants | undefined, tried: ReadonlySet<Pod>, now: Pod): boolean =>
  [...(variants?.values() ?? [])].some((pods) => pods.some((pod) => pod !== now && !tried.has(pod)));

/** Requests that the model's pods can take beyond those that they have; Infinity where no profile tells. */
const freePlaces = (variants: Variants, plan: RoutingPlan | null, overflow: number): number => {
  let free = 0;
  for (const [name, pods] of variants) {
    if (pods.length === 0) continue;
    const each = plan?.concurrency?.[name];
    if (each === undefined) return Number.POSITIVE_INFINITY;
    const most = Math.ceil(each * overflow * pods.length);
    free += Math.max(0, most - pods.reduce((sum, { requests }) => sum + requests, 0));
  }
  return free;
};
