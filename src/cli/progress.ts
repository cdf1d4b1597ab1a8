import { timeText } from '../benchmark/duration.ts';
import type { CommandStreams } from './command.ts';

/** What a command that takes long says of how far it is, on a line of stderr that is written over. */
export interface Progress {
  /** @param share of the whole that is done, 0 to 1 */
  tell(what: string, share: number): void;
  /** Takes the line away. */
  end(): void;
}

/** A line of stderr that is written over. */
export interface PassingLine {
  show(text: string): void;
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
  const began = clock();
  const line = passingLine(io, clock);
  return {
    tell: (what, share) => {
      const left = share > 0 ? `, about ${timeText(((clock() - began) / 1000) * (1 / Math.min(1, share) - 1))} left` : '';
      line.show(`${what}: ${Math.floor(100 * share)} %${left}`);
    },
    end: line.end,
  };
};

/**
 * Where stderr is a terminal, from the third second on.
 * @param clock ms
 */
export const passingLine = (io: CommandStreams, clock: () => number): PassingLine => {
  const { errorColumns } = io;
  if (errorColumns === undefined) return { show: () => {}, end: () => {} };
  const began = clock();
  let [shownAt, shown] = [Number.NEGATIVE_INFINITY, false];
  return {
    show: (text) => {
      const now = clock();
      if (now - began < firstAfter || now - shownAt < between) return;
      shownAt = now;
      shown = true;
      // The last column stays free: a full line would wrap.
      io.stderr(`\r\u001b[K${text.slice(0, errorColumns - 1)}`);
    },
    end: () => {
      if (shown) io.stderr('\r\u001b[K');
      shown = false;
    },
  };
};
