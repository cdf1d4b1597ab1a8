import { type Logger, pino } from 'pino';

/** One JSON line per event on stderr; stdout belongs to the commands' results. */
export const createLogger = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination(2),
  );

/** A problem that has not been seen for so long (ms) is gone. Redis that is away says so in several ways by turns. */
const goneAfter = 8_000;

/**
 * Says each problem once until it goes away.
 * @param clock ms, steady
 */
export const problemReporter = (
  log: Logger,
  clock: () => number = () => performance.now(),
): ((problems: readonly string[]) => void) => {
  const seenAt = new Map<string, number>();
  return (problems) => {
    const now = clock();
    for (const problem of problems) {
      if (!seenAt.has(problem)) log.warn({ problem }, 'problem');
      seenAt.set(problem, now);
    }
    for (const [problem, at] of seenAt) {
      if (now - at < goneAfter) continue;
      log.info({ problem }, 'problem gone');
      seenAt.delete(problem);
    }
  };
};
