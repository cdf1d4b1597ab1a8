import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import { createTurnAwaiter, type TurnAwaiter } from './await-turn.ts';
import { chooser, type Place } from './choose-pod.ts';
import type { Refusal } from './refusals.ts';
import { type TokenEstimate, tokenEstimate } from './token-estimate.ts';
import { restTimer, type WaitingRoom, waitingRoom } from './waiting-room.ts';

/** What stands between the requests for one model and its pods. */
export interface ModelFront {
  readonly choose: ReturnType<typeof chooser>;
  readonly room: WaitingRoom<Place | Refusal>;
  /** Calls those who wait when a pod has rested. */
  readonly restEnds: ReturnType<typeof restTimer>;
  readonly estimate: TokenEstimate;
  readonly turns: TurnAwaiter;
  /** Tokens of the requests in the room, and of their expected answers. */
  heldInput: number;
  heldOutput: number;
}

export interface FrontSettings {
  /** A variant takes at most so many times the requests in flight that its profile was measured at. */
  readonly overflow: number;
  /** Share of the turns that late requests get while others can still have their first token in time, 0 to 1. */
  readonly serveLate: number;
  /** Requests of one model that may be held, and their bytes together. */
  readonly heldRequests: number;
  readonly heldBytes: number;
}

export interface ModelFronts {
  of(model: string): ModelFront;
  /** Of the models that were ever asked for. */
  existing(): ReadonlyMap<string, ModelFront>;
}

/** @param clock s, steady */
export const modelFronts = (
  plan: (model: string) => RoutingPlan | null,
  clock: () => number,
  { overflow, serveLate, heldRequests, heldBytes }: FrontSettings,
): ModelFronts => {
  const fronts = new Map<string, ModelFront>();
  const frontFor = (model: string): ModelFront => {
    const service = () => {
      const ttft = plan(model)?.ttftSeconds;
      return ttft === undefined ? null : { ttft, serveLate };
    };
    const turns = createTurnAwaiter(service, clock);
    const limits = { requests: heldRequests, bytes: heldBytes };
    return {
      choose: chooser(overflow),
      room: waitingRoom(limits, { settings: service, untilFirstToken: turns.untilFirstToken, clock }),
      restEnds: restTimer(clock),
      estimate: tokenEstimate(),
      turns,
      heldInput: 0,
      heldOutput: 0,
    };
  };
  return {
    of: (model) => {
      const front = fronts.get(model) ?? frontFor(model);
      fronts.set(model, front);
      return front;
    },
    existing: () => fronts,
  };
};
