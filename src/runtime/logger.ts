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

/** Says each problem once until it goes away. */
export const problemReporter = (log: Logger): ((problems: readonly string[]) => void) => {
  let known = new Set<string>();
  return (problems) => {
    for (const problem of problems) if (!known.has(problem)) log.warn({ problem }, 'problem');
    for (const problem of known) if (!problems.includes(problem)) log.info({ problem }, 'problem gone');
    known = new Set(problems);
  };
};
