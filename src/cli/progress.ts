import { timeText } from '../benchmark/duration.ts';
import type { CommandStreams } from './command.ts';

/** What a command that takes long says of how far it is, on a line of stderr that is written over. */
export interface Progress {
  /** @param share of the whole that is done, 0 to 1 */
  tell(what: string, share: number): void;
  /** Takes the line away. */
  end(): void;
}

/** Work that is over by then needs none; and a line is to be read (ms). */
const [firstAfter, between] = [3000, 250];

/**
 * Progress where stderr is a terminal; elsewhere none.
 * @param clock ms
 */
export const progressOn = (io: CommandStreams, clock: () => number = () => performance.now()): Progress => {
  const { errorColumns } = io;
  if (errorColumns === undefined) return { tell: () => {}, end: () => {} };
  const began = clock();
  let [toldAt, shown] = [Number.NEGATIVE_INFINITY, false];
  return {
    tell: (what, share) => {
      const now = clock();
      if (now - began < firstAfter || now - toldAt < between) return;
      toldAt = now;
      shown = true;
      const left = share > 0 ? `, about ${timeText(((now - began) / 1000) * (1 / Math.min(1, share) - 1))} left` : '';
      // The last column stays free: a full line would wrap.
      io.stderr(`\r\u001b[K${`${what}: ${Math.floor(100 * share)} %${left}`.slice(0, errorColumns - 1)}`);
    },
    end: () => {
      if (shown) io.stderr('\r\u001b[K');
      shown = false;
    },
  };
};
