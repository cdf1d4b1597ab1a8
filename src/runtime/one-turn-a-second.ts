import type { Logger } from 'pino';
import { messageOf } from '../vocabulary/errors.ts';
import { everySecond } from './every-second.ts';

/**
 * A turn every second of the wall clock, one at a time; what it returns ends them. A turn says whether there was anything to
 * do.
 * @param afterwards called after each turn that had
 */
export const turns = (turn: () => Promise<boolean>, afterwards: () => void, log: Logger): (() => void) => {
  let running = false;
  return everySecond(async () => {
    if (running) return;
    running = true;
    try {
      if (await turn()) afterwards();
    } catch (error) {
      log.error({ problem: messageOf(error), stack: (error as Error).stack }, 'tick failed');
    } finally {
      running = false;
    }
  });
};
