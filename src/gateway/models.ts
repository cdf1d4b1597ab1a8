import type { RoutingPlan } from '../domain.ts';
import { chooser } from './choose.ts';
import { isAsleep, type Variants } from './fleet.ts';
import type { GatewayParts, GatewaySettings, ModelState, Passage } from './passage.ts';
import { notReady, type Refusal, tooMany } from './refusals.ts';
import { tokenEstimate } from './token-estimate.ts';
import { waitingRoom } from './waiting-room.ts';

/** What each model has of its own, and those who wait for it. */
export interface Models {
  all(): ReadonlyMap<string, ModelState>;
  stateOf(model: string): ModelState;
  /** Lets as many of those who wait go on as there is room for now. */
  callWaiting(model: string, state: ModelState): void;
  /** Waits for a place; a refusal where there is none. */
  wait(passage: Passage, why: 'full' | 'none'): Promise<Refusal | null>;
}

export const createModels = (parts: GatewayParts, settings: GatewaySettings): Models => {
  const { fleet, metrics, clock } = parts;
  const models = new Map<string, ModelState>();
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

  const callWaiting = (model: string, state: ModelState): void => {
    const waiting = state.room.waiting();
    const variants = fleet.variants(model);
    if (waiting === 0 || variants === undefined) return;
    // Where waiting does not help, all are called, to be told so.
    const free =
      isAsleep(variants) && parts.unreachable(model) !== null
        ? waiting
        : freePlaces(variants, parts.plan(model), settings.overflow) - state.called;
    if (free < 1) return;
    state.called += Math.min(free, waiting);
    state.room.call(Math.min(free, waiting));
  };

  const wait = async (passage: Passage, why: 'full' | 'none'): Promise<Refusal | null> => {
    const { request, state, stop, startedAt, inputTokens, outputTokens } = passage;
    const unreachable = why === 'none' ? parts.unreachable(request.model) : null;
    if (unreachable !== null) {
      metrics.rejected(request.model, 'unreachable');
      return notReady(`${request.model} cannot be reached: ${unreachable}`);
    }
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

  return { all: () => models, stateOf, callWaiting, wait };
};

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
