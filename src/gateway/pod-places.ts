import { apiCalls } from './api-calls.ts';
import { chooser, type Place, type PodChoice } from './choose-pod.ts';
import { hasNoPods, type Variants } from './model-pods.ts';
import type { GatewayParts, GatewaySettings, ModelQueue, Passage } from './passage.ts';
import { createPodTurns } from './pod-turns.ts';
import { noAnswer, notReady, type Refusal, tooMany, unknownModel } from './refusals.ts';
import { tokenEstimate } from './token-estimate.ts';
import { restTimer, waitingRoom } from './waiting-room.ts';

/** What each model has of its own, and the places at its pods. */
export interface Places {
  queues(): ReadonlyMap<string, ModelQueue>;
  queueOf(model: string): ModelQueue;
  /**
   * A place at a pod for this request, taken: at once, or when it is its turn. Else why there is none; null = the client has
   * left.
   */
  place(passage: Passage): Promise<Place | Refusal | null>;
  /**
   * Waits for the request's turn at its pod: the place that it has then, which may be at another pod. `gone` = its pod is gone;
   * null = the client has left. Where there is no place any more it was left.
   */
  turn(passage: Passage, place: Place): Promise<Place | 'gone' | null>;
  /** The request is no longer at this pod. Who waits may be called then. */
  leave(passage: Passage, place: Place): void;
  /** Gives those who wait what there is for them now. */
  callWaiting(model: string, queue: ModelQueue): void;
}

export const createPlaces = (parts: GatewayParts, settings: GatewaySettings): Places => {
  const { modelPods, metrics, clock } = parts;
  const { queues, queueOf } = modelQueues(parts, settings);

  /** What there is for a request now; null = it has to wait. Nothing but the chooser knows what room is. */
  const ask = (passage: Passage): Place | Refusal | null => {
    const { model } = passage.request;
    const variants = modelPods.variants(model);
    if (variants === undefined) return null;
    const choice = chosen(parts, passage, variants);
    if (choice === 'full') return null;
    if (choice === 'tried') return passage.last ?? noAnswer(`no replica of ${model} answers`);
    if (choice === 'none') {
      const unreachable = parts.unreachable(model);
      if (unreachable === null) return null;
      metrics.rejected(model, 'unreachable');
      return notReady(`${model} cannot be reached: ${unreachable}`);
    }
    takePlace(passage, choice);
    return choice;
  };

  const callWaiting = (model: string, queue: ModelQueue): void => {
    if (queue.room.waiting() === 0) return;
    queue.room.call();
    awaitRests(model, queue);
  };

  /** The end of a pod's rest makes room without anything else happening. */
  const awaitRests = (model: string, queue: ModelQueue): void => {
    const pods = queue.room.waiting() === 0 ? [] : [...(modelPods.variants(model)?.values() ?? [])].flat();
    queue.restEnds.set(pods, () => callWaiting(model, queue));
  };

  const wait = async (passage: Passage, asked: boolean): Promise<Place | Refusal | null> => {
    const { request, queue, stop, startedAt, inputTokens, outputTokens, tried } = passage;
    const { model } = request;
    const podless = hasNoPods(modelPods.variants(model) ?? new Map());
    const turn = queue.room.enter({
      arrivedAt: startedAt,
      bytes: request.body.length,
      seconds: Math.max(0, settings.heldSeconds - (clock() - startedAt)),
      signal: stop.signal,
      choosy: tried.size > 0,
      ask: () => ask(passage),
    });
    const what = podless ? 'has no replica yet' : 'is busy';
    if (turn === null) {
      metrics.rejected(model, 'no room');
      return tooMany(`${model} ${what}, and as many requests wait for it as may`);
    }
    metrics.held(model);
    queue.heldInput += inputTokens;
    queue.heldOutput += outputTokens;
    if (podless) parts.onNoPods(model);
    if (asked) awaitRests(model, queue);
    else callWaiting(model, queue);
    const answer = await turn;
    awaitRests(model, queue);
    queue.heldInput -= inputTokens;
    queue.heldOutput -= outputTokens;
    if (answer === 'left') return null;
    if (answer !== 'timeout') return answer;
    metrics.rejected(model, 'waited too long');
    const waited = `${model} ${what}; the request waited ${settings.heldSeconds} s`;
    return podless ? notReady(waited) : tooMany(waited);
  };

  const place = async (passage: Passage): Promise<Place | Refusal | null> => {
    const { request, queue, tried } = passage;
    if (modelPods.variants(request.model) === undefined) return unknownModel(request.model);
    // Nobody overtakes those who wait; one that a pod has failed came before them.
    const behind = tried.size === 0 && queue.room.crowded();
    return (behind ? null : ask(passage)) ?? (await wait(passage, !behind));
  };

  return { queues, queueOf, place, turn: (passage, place) => turnAt(passage, place, callWaiting), leave, callWaiting };
};

const chosen = ({ plan, clock }: GatewayParts, passage: Passage, variants: Variants): PodChoice => {
  const { request, queue, tried, inputTokens } = passage;
  // A request whose size is not known goes where there is least to do.
  const followed = apiCalls[request.call].sized ? plan(request.model) : null;
  const { choose } = queue;
  return keptAt(passage, variants) ?? choose({ variants, plan: followed, inputTokens, tried, now: clock() });
};

/** The pod that alone can serve it, if it is there and has not failed it. */
const keptAt = ({ onlyOrigin, tried }: Passage, variants: Variants): Place | undefined => {
  if (onlyOrigin === null) return undefined;
  const pod = [...variants.values()].flat().find((candidate) => candidate.origin === onlyOrigin && !tried.has(candidate));
  return pod === undefined ? undefined : { pod, why: 'response' };
};

const leave = (passage: Passage, place: Place): void => {
  leavePlace(passage, place);
  passage.queue.turns.over(passage);
};

const turnAt = async (passage: Passage, place: Place, callWaiting: Places['callWaiting']): Promise<Place | 'gone' | null> => {
  const pod = await passage.queue.turns.turn(passage, place);
  if (pod === place.pod) return place;
  leavePlace(passage, place);
  if (pod === null) callWaiting(passage.request.model, passage.queue);
  if (pod === null || pod === 'gone') return pod;
  const moved = { pod, why: place.why };
  takePlace(passage, moved);
  return moved;
};

const takePlace = (passage: Passage, { pod }: Place): void => {
  pod.requests += 1;
  pod.given += 1;
  pod.outstandingTokens += tokensOf(passage);
};

const leavePlace = (passage: Passage, { pod }: Place): void => {
  pod.requests -= 1;
  pod.outstandingTokens -= tokensOf(passage);
};

/** Of each model that was ever asked for. */
const modelQueues = ({ plan, clock }: GatewayParts, settings: GatewaySettings) => {
  const models = new Map<string, ModelQueue>();
  const queueOf = (model: string): ModelQueue => {
    const existing = models.get(model);
    if (existing !== undefined) return existing;
    const serviceNow = () => {
      const ttft = plan(model)?.ttftSeconds;
      return ttft === undefined ? null : { ttft, serveLate: settings.serveLate };
    };
    const turns = createPodTurns(serviceNow, clock);
    const limits = { requests: settings.heldRequests, bytes: settings.heldBytes };
    const queue: ModelQueue = {
      choose: chooser(settings.overflow),
      room: waitingRoom(limits, { settings: serviceNow, untilFirstToken: turns.untilFirstToken, clock }),
      restEnds: restTimer(clock),
      estimate: tokenEstimate(),
      turns,
      heldInput: 0,
      heldOutput: 0,
    };
    models.set(model, queue);
    return queue;
  };
  return { queues: (): ReadonlyMap<string, ModelQueue> => models, queueOf };
};

const tokensOf = ({ inputTokens, outputTokens }: Passage): number => inputTokens + outputTokens;
