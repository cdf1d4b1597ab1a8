import { apiCalls } from './api-calls.ts';
import type { Place, PodChoice } from './choose-pod.ts';
import type { GatewayParts, GatewaySettings } from './gateway-parts.ts';
import type { ModelFront } from './model-fronts.ts';
import { hasNoPods, type Variants } from './model-pods.ts';
import type { Passage } from './passage.ts';
import { noAnswer, notReady, type Refusal, tooMany, unknownModel } from './refusals.ts';

/** The places at pods. */
export interface PlaceFinder {
  /**
   * A place at a pod for this request, taken: at once, or when it is its turn. Else why there is none; null = the client has
   * left.
   */
  find(passage: Passage): Promise<Place | Refusal | null>;
  /**
   * Waits for the request's turn at its pod: the place that it has then, which may be at another pod. `gone` = its pod is gone;
   * null = the client has left. Where there is no place any more it was left.
   */
  awaitTurn(passage: Passage, place: Place): Promise<Place | 'gone' | null>;
  /** The request is no longer at this pod. Who waits may be called then. */
  leave(passage: Passage, place: Place): void;
  /** Gives those who wait what there is for them now. */
  callWaiting(model: string, front: ModelFront): void;
}

export const createPlaceFinder = (parts: GatewayParts, settings: GatewaySettings): PlaceFinder => {
  const { modelPods, metrics, clock } = parts;

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

  const callWaiting = (model: string, front: ModelFront): void => {
    if (front.room.waiting() === 0) return;
    front.room.call();
    awaitRests(model, front);
  };

  /** The end of a pod's rest makes room without anything else happening. */
  const awaitRests = (model: string, front: ModelFront): void => {
    const pods = front.room.waiting() === 0 ? [] : [...(modelPods.variants(model)?.values() ?? [])].flat();
    front.restEnds.set(pods, () => callWaiting(model, front));
  };

  const wait = async (passage: Passage, asked: boolean): Promise<Place | Refusal | null> => {
    const { request, front, stop, startedAt, inputTokens, outputTokens, tried } = passage;
    const { model } = request;
    const podless = hasNoPods(modelPods.variants(model) ?? new Map());
    const turn = front.room.enter({
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
    front.heldInput += inputTokens;
    front.heldOutput += outputTokens;
    if (podless) parts.onNoPods(model);
    if (asked) awaitRests(model, front);
    else callWaiting(model, front);
    const answer = await turn;
    awaitRests(model, front);
    front.heldInput -= inputTokens;
    front.heldOutput -= outputTokens;
    if (answer === 'left') return null;
    if (answer !== 'timeout') return answer;
    metrics.rejected(model, 'waited too long');
    const waited = `${model} ${what}; the request waited ${settings.heldSeconds} s`;
    return podless ? notReady(waited) : tooMany(waited);
  };

  const find = async (passage: Passage): Promise<Place | Refusal | null> => {
    const { request, front, tried } = passage;
    if (modelPods.variants(request.model) === undefined) return unknownModel(request.model);
    // Nobody overtakes those who wait; one that a pod has failed came before them.
    const behind = tried.size === 0 && front.room.crowded();
    return (behind ? null : ask(passage)) ?? (await wait(passage, !behind));
  };

  return { find, awaitTurn: (passage, place) => awaitTurn(passage, place, callWaiting), leave, callWaiting };
};

const chosen = ({ plan, clock }: GatewayParts, passage: Passage, variants: Variants): PodChoice => {
  const { request, front, tried, inputTokens } = passage;
  // A request whose size is not known goes where there is least to do.
  const routingPlan = apiCalls[request.call].sized ? plan(request.model) : null;
  const { choose } = front;
  return keptAt(passage, variants) ?? choose({ variants, plan: routingPlan, inputTokens, tried, now: clock() });
};

/** The pod that alone can serve it, if it is there and has not failed it. */
const keptAt = ({ onlyOrigin, tried }: Passage, variants: Variants): Place | undefined => {
  if (onlyOrigin === null) return undefined;
  const pod = [...variants.values()].flat().find((candidate) => candidate.origin === onlyOrigin && !tried.has(candidate));
  return pod === undefined ? undefined : { pod, why: 'response' };
};

const leave = (passage: Passage, place: Place): void => {
  leavePlace(passage, place);
  passage.front.turns.leave(passage);
};

const awaitTurn = async (
  passage: Passage,
  place: Place,
  callWaiting: PlaceFinder['callWaiting'],
): Promise<Place | 'gone' | null> => {
  const pod = await passage.front.turns.awaitTurn(passage, place);
  if (pod === place.pod) return place;
  leavePlace(passage, place);
  if (pod === null) callWaiting(passage.request.model, passage.front);
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

const tokensOf = ({ inputTokens, outputTokens }: Passage): number => inputTokens + outputTokens;
