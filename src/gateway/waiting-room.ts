import type { Pod } from './model-pods.ts';

/** How a wait ends without an answer: it was too long, or the client has left. */
export type WaitEnd = 'timeout' | 'left';

/** A request that waits for a place at any pod. */
export interface Waiter<Answer> {
  /** When it came (s): who came first is asked first, also where it comes back after a pod has failed it. */
  readonly arrivedAt: number;
  readonly bytes: number;
  /** How much longer it may wait (s). */
  readonly seconds: number;
  /** Aborted when the client has left. */
  readonly signal: AbortSignal;
  /** Whether some pods are closed to this request alone, as they have failed it. */
  readonly choosy: boolean;
  /** What there is for it now; null = it goes on waiting. */
  readonly ask: () => Answer | null;
}

export interface WaitingRoom<Answer> {
  /** Waits for an answer; null = there is no room. */
  enter(waiter: Waiter<Answer>): Promise<Answer | WaitEnd> | null;
  /**
   * Asks for those who wait, in the order in which they came. Where there is nothing for one that would take any pod, there is
   * nothing for those behind it either, and the call ends.
   */
  call(): void;
  waiting(): number;
  /** Whether somebody waits who would take any pod. */
  crowded(): boolean;
}

export interface RoomLimits {
  readonly requests: number;
  readonly bytes: number;
}

/** Requests that cannot be served yet, in order of arrival; bounded in number, bytes and time. */
export const waitingRoom = <Answer>(room: RoomLimits): WaitingRoom<Answer> => {
  interface Seat extends Waiter<Answer> {
    readonly release: (how: Answer | WaitEnd) => void;
  }
  const seats: Seat[] = [];
  let bytesHeld = 0;
  return {
    enter: (waiter) => {
      const { arrivedAt, bytes, seconds, signal } = waiter;
      if (seats.length >= room.requests || bytesHeld + bytes > room.bytes) return null;
      if (signal.aborted) return Promise.resolve('left');
      bytesHeld += bytes;
      return new Promise((resolve) => {
        const release = (how: Answer | WaitEnd): void => {
          const at = seats.indexOf(seat);
          if (at === -1) return;
          seats.splice(at, 1);
          bytesHeld -= bytes;
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          resolve(how);
        };
        const leave = (): void => release('left');
        const timer = setTimeout(() => release('timeout'), seconds * 1000);
        signal.addEventListener('abort', leave);
        const seat = { ...waiter, release };
        seats.splice(seats.findLastIndex((other) => other.arrivedAt <= arrivedAt) + 1, 0, seat);
      });
    },
    call: () => {
      for (const { ask, choosy, release } of [...seats]) {
        const answer = ask();
        if (answer !== null) release(answer);
        else if (!choosy) break;
      }
    },
    waiting: () => seats.length,
    crowded: () => seats.some(({ choosy }) => !choosy),
  };
};

/**
 * A timer to the first end of a rest among pods; set again it replaces the last one.
 * @param clock s
 */
export const restTimer = (clock: () => number) => {
  let timer: NodeJS.Timeout | undefined;
  return {
    /** Calls back when the first of these pods that rest has rested; where none does, never. */
    set: (pods: readonly Pod[], rested: () => void): void => {
      clearTimeout(timer);
      const now = clock();
      const ends = pods.flatMap(({ restsUntil }) => (restsUntil > now ? [restsUntil] : []));
      if (ends.length > 0) timer = setTimeout(rested, Math.ceil((Math.min(...ends) - now) * 1000));
    },
  };
};
