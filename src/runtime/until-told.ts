import type { Logger } from 'pino';

/** Until SIGTERM or SIGINT. */
export const untilTold = (log: Logger): Promise<void> =>
  new Promise((done) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping');
        done();
      });
    }
  });
