import type { Pod } from './fleet.ts';

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
