import { setTimeout as sleep } from 'node:timers/promises';
import type { SharedClock } from './interval-ends.ts';

/** An answer that took longer (s) tells the time too vaguely, once it is known. */
const slowSeconds = 0.5;
/** So long an answer is waited for (ms); it counts when it comes. */
const patienceMilliseconds = 500;

/**
 * The store's clock: read as often as is asked for, and kept by a steady clock between two readings and while the store is away.
 * Until the first reading it is this host's own.
 * @param time asks the store (Unix s)
 * @param steady s
 * @param wall the host's own clock (Unix s)
 */
export const storeClock = (time: () => Promise<number>, steady: () => number, wall: () => number): SharedClock => {
  let ahead = wall() - steady();
  let toldBefore = false;
  let reading: Promise<void> | null = null;
  const read = async (): Promise<void> => {
    const askedAt = steady();
    const told = await time();
    const toldAt = steady();
    if (toldBefore && toldAt - askedAt > slowSeconds) return;
    ahead = told - (askedAt + toldAt) / 2;
    toldBefore = true;
  };
  return {
    now: () => steady() + ahead,
    steady,
    read: async () => {
      reading ??= read()
        .catch(() => {})
        .finally(() => {
          reading = null;
        });
      const enough = new AbortController();
      const patience = sleep(patienceMilliseconds, undefined, { signal: enough.signal }).catch(() => {});
      await Promise.race([reading, patience]);
      enough.abort();
    },
  };
};
