import type { Place } from './choose-pod.ts';
import type { Pod } from './model-pods.ts';
import { createPodQueues, type QueuedRequest } from './pod-queues.ts';
import type { ServiceSettings } from './service-order.ts';

/** What is to be known of a request that takes its turn. */
export interface TurnTaker {
  readonly request: { readonly stream: boolean };
  readonly inputTokens: number;
  /** s */
  readonly startedAt: number;
  /** Aborted when the client has left. */
  readonly stop: AbortController;
  /** Pods that have failed it. */
  readonly tried: ReadonlySet<Pod>;
}

/** When it is a request's turn at the pods of one model. */
export interface TurnAwaiter {
  /**
   * Waits until a pod takes the request.
   * @returns the pod, which may be another than the one that it had a place at; `gone` = that one is gone; null = the
   *   client has left
   */
  awaitTurn(taker: TurnTaker, place: Place): Promise<Pod | 'gone' | null>;
  /** The first token of its answer has come. */
  read(taker: TurnTaker): void;
  /** It is no longer at its pod. */
  leave(taker: TurnTaker): void;
  /** Pods have come or gone. */
  podsAre(pods: readonly Pod[]): void;
  waiting(): number;
  /** What a request takes to its first token once it is with a pod, in the mean (s); 0 = not known. */
  untilFirstToken(): number;
}

/** A request in the queue of a pod, and with the pod that took it. */
interface Turn extends QueuedRequest {
  readonly taker: TurnTaker;
  readonly go: (pod: Pod | 'gone' | null) => void;
  pod: Pod | null;
  sentAt: number;
  readAt: number | null;
  timer: NodeJS.Timeout | undefined;
}

/**
 * A first token that comes after so large a share of the whole answer's time tells nothing of when the prompt was read: the
 * answers are buffered on their way, or are a token long. Where most are like that, nobody waits in a queue.
 */
const [atItsEnd, mostly, newest] = [0.8, 0.5, 0.05];

/**
 * @param limits what the plan says of the time to the first token; null = nothing, and every request goes to its pod at once
 * @param clock s
 */
export const createTurnAwaiter = (limits: () => ServiceSettings | null, clock: () => number): TurnAwaiter => {
  let untold = 0;
  const turns = new Map<TurnTaker, Turn>();
  const queues = createPodQueues<Pod, Turn>(
    () => (untold > mostly ? null : limits()),
    (turn, pod, now) => {
      [turn.pod, turn.sentAt] = [pod, now];
      // Who streams nothing never says that its prompt is read: it is taken to be, when others' are.
      if (!turn.taker.request.stream) turn.timer = setTimeout(() => read(turn.taker), 1000 * queues.untilFirstToken());
      turn.go(pod);
    },
    ({ taker }, pod) => !taker.tried.has(pod) && pod.restsUntil <= clock(),
  );
  const read = (taker: TurnTaker): void => {
    const turn = turns.get(taker);
    if (turn?.pod == null || turn.readAt !== null) return;
    turn.readAt = clock();
    queues.read(turn, turn.pod, turn.readAt);
  };
  const leave = (taker: TurnTaker): void => {
    const turn = turns.get(taker);
    if (turn === undefined) return;
    turns.delete(taker);
    clearTimeout(turn.timer);
    const now = clock();
    if (taker.request.stream && turn.readAt !== null) {
      const told = turn.readAt - turn.sentAt < atItsEnd * (now - turn.sentAt);
      untold += newest * ((told ? 0 : 1) - untold);
    }
    queues.leave(turn, now);
  };
  return {
    awaitTurn: (taker, { pod, why }) => {
      // What one pod alone can serve has no other to wait for.
      if (why === 'response' || limits() === null) return Promise.resolve(pod);
      return new Promise((resolve) => {
        const { signal } = taker.stop;
        const left = (): void => {
          leave(taker);
          resolve(null);
        };
        const go: Turn['go'] = (answer) => {
          signal.removeEventListener('abort', left);
          resolve(answer);
        };
        if (signal.aborted) return resolve(null);
        signal.addEventListener('abort', left, { once: true });
        const { startedAt: arrivedAt, inputTokens } = taker;
        const turn: Turn = { arrivedAt, inputTokens, taker, go, pod: null, sentAt: 0, readAt: null, timer: undefined };
        turns.set(taker, turn);
        queues.join(turn, pod, clock());
      });
    },
    read,
    leave,
    podsAre: (pods) => {
      for (const { taker, go } of queues.keep(new Set(pods))) {
        turns.delete(taker);
        go('gone');
      }
      for (const pod of pods) queues.serve(pod, clock());
    },
    waiting: () => [...turns.values()].filter(({ pod }) => pod === null).length,
    untilFirstToken: queues.untilFirstToken,
  };
};
