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
