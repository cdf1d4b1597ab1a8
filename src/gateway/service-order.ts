/** A request that waits in a queue. */
export interface Queued {
  /** s */
  readonly arrivedAt: number;
}

export interface ServiceSettings {
  /** Limit on the time to the first token (s). */
  readonly ttft: number;
  /** Share of the turns that late requests get while others can still be in time, 0 to 1. */
  readonly serveLate: number;
}

/** Waits up to so many times the limit count as short. */
const short = 4;

/**
 * Whose turn it is among those who wait. First come, first served makes everybody late after an overload, until the last of its
 * queue has gone. Here those go first who can still have their first token within the limit. Those who cannot get a share of
 * the turns, and all turns once one of them has waited for too long.
 * @param longest nobody waits so many times longer than first come, first served would have made somebody wait since the queue
 *   was last empty
 */
export const serviceOrder = (longest = 1.4) => {
  let owed = 0;
  let pays = 0;
  /** When those came whom first come, first served would not have served yet, and the longest that it has made one wait (s). */
  let [behind, longestWait] = [[] as number[], 0];
  return {
    /** Somebody has joined the queue. */
    joined: (arrivedAt: number): void => {
      behind.push(arrivedAt);
    },
    /** Somebody has left it without a turn. */
    left: (arrivedAt: number): void => {
      const at = behind.indexOf(arrivedAt);
      if (at >= 0) behind.splice(at, 1);
    },
    /**
     * Changes nothing: {@link serviceOrder.taken} does.
     * @param queue in order of arrival, not empty
     * @param now s
     * @param untilFirstToken what a request takes to its first token once it is with an engine (s)
     * @returns an index in the queue
     */
    next: (queue: readonly Queued[], now: number, untilFirstToken: number, { ttft, serveLate }: ServiceSettings): number => {
      const inTime = queue.findIndex(({ arrivedAt }) => now + untilFirstToken < arrivedAt + ttft);
      const waited = now - queue[0]!.arrivedAt;
      pays = 0;
      if (inTime <= 0 || waited > Math.max(longest * longestWait, short * ttft)) return 0;
      const late = owed + serveLate >= 1;
      pays = late ? serveLate - 1 : serveLate;
      return late ? 0 : inTime;
    },
    /** The one that was named last has its turn. */
    taken: (now: number, queueIsEmpty: boolean): void => {
      owed += pays;
      longestWait = Math.max(longestWait, now - (behind.shift() ?? now));
      if (queueIsEmpty) [behind, longestWait] = [[], 0];
    },
  };
};
