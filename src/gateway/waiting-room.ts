/** Why a request no longer waits. */
export type Released = 'go' | 'timeout' | 'left';

export interface WaitingRoom {
  /**
   * Waits until it is called; null = there is no room.
   * @param seconds how much longer it may wait
   * @param signal the client has left
   */
  enter(bytes: number, seconds: number, signal: AbortSignal): Promise<Released> | null;
  /** Calls up to so many, in the order in which they came. */
  call(most: number): void;
  waiting(): number;
}

export interface Room {
  readonly requests: number;
  readonly bytes: number;
}

/** Requests that cannot be served yet, in order of arrival; bounded in number, bytes and time. */
export const waitingRoom = (room: Room): WaitingRoom => {
  const waiting = new Set<(why: Released) => void>();
  let bytesHeld = 0;
  return {
    enter: (bytes, seconds, signal) => {
      if (waiting.size >= room.requests || bytesHeld + bytes > room.bytes) return null;
      if (signal.aborted) return Promise.resolve('left');
      bytesHeld += bytes;
      return new Promise((resolve) => {
        const release = (why: Released): void => {
          if (!waiting.delete(release)) return;
          bytesHeld -= bytes;
          clearTimeout(timer);
          signal.removeEventListener('abort', leave);
          resolve(why);
        };
        const leave = (): void => release('left');
        const timer = setTimeout(() => release('timeout'), seconds * 1000);
        signal.addEventListener('abort', leave);
        waiting.add(release);
      });
    },
    call: (most) => {
      if (most >= 1) for (const release of [...waiting].slice(0, most)) release('go');
    },
    waiting: () => waiting.size,
  };
};
