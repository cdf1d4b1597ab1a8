import { messageOf } from '../vocabulary/errors.ts';

/** Where the API says what happened: the object first, then a short message. pino is one. */
export interface RequestLog {
  readonly info: (fields: object, message: string) => void;
  readonly warn: (fields: object, message: string) => void;
  readonly error: (fields: object, message: string) => void;
}

export interface Polling {
  /** Why the last round failed; empty when it did not. */
  readonly problem: () => string;
  readonly stop: () => void;
}

/**
 * Does `round` every so often, never two at a time; the first time after `milliseconds`, or `atOnce`. A problem is said
 * when it begins, not each time.
 */
export const polling = (
  round: () => Promise<void>,
  milliseconds: number,
  say: (problem: string) => void,
  { atOnce = false } = {},
): Polling => {
  let [problem, running] = ['', false];
  const poll = async (): Promise<void> => {
    if (running) return;
    running = true;
    try {
      await round();
      problem = '';
    } catch (error) {
      const last = problem;
      problem = messageOf(error);
      if (problem !== last) say(problem);
    }
    running = false;
  };
  if (atOnce) void poll();
  const timer = setInterval(() => void poll(), milliseconds).unref();
  return { problem: () => problem, stop: () => clearInterval(timer) };
};
