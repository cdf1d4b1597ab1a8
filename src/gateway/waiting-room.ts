import type { Pod } from './model-pods.ts';
import { type ServiceSettings, serviceOrder } from './service-order.ts';

/** How a wait ends without an answer: it was too long, or the client has left. */
export type WaitEnd = 'timeout' | 'left';

/** A request that waits for a place at any pod. */
export interface Waiter<Answer> {
  /** When it came (s), also where it comes back after a pod has failed it. */
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
   * Asks for those who wait, in the order of service-order.ts. Where there is nothing for one that would take any pod, there is
   * nothing for the others either, and the call ends.
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

/** See service-order.ts; what a request waits in front of its pod comes on top. */
const longestInRoom = 1.2;

/** What decides whose turn it is. */
export interface RoomService {
  /** Null = first come, first served. */
  settings(): ServiceSettings | null;
  /** What a request takes to its first token once it has a place (s). */
  untilFirstToken(): number;
  /** s */
  clock(): number;
}

const firstComeFirstServed: RoomService = { settings: () => null, untilFirstToken: () => 0, clock: () => 0 };

/** Requests that cannot be served yet; bounded in number, bytes and time. */
export const waitingRoom = <Answer>(room: RoomLimits, service = firstComeFirstServed): WaitingRoom<Answer> => {
  interface Seat extends Waiter<Answer> {
    readonly release: (how: Answer | WaitEnd) => void;
  }
  /** In order of arrival. */
  const seats: Seat[] = [];
  const order = serviceOrder(longestInRoom);
  let bytesHeld = 0;
  const nextOf = (unasked: readonly Seat[], settings: ServiceSettings | null): number =>
    settings === null ? 0 : order.next(unasked, service.clock(), service.untilFirstToken(), settings);
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
          if (how === 'timeout' || how === 'left') order.left(arrivedAt);
          else order.taken(service.clock(), seats.length === 0);
          resolve(how);
        };
        const leave = (): void => release('left');
        const timer = setTimeout(() => release('timeout'), seconds * 1000);
        signal.addEventListener('abort', leave);
        const seat = { ...waiter, release };
        seats.splice(seats.findLastIndex((other) => other.arrivedAt <= arrivedAt) + 1, 0, seat);
        order.joined(arrivedAt);
      });
    },
    call: () => {
      const settings = service.settings();
      const unasked = [...seats];
      while (unasked.length > 0) {
        const [{ ask, choosy, release }] = unasked.splice(nextOf(unasked, settings), 1) as [Seat];
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
