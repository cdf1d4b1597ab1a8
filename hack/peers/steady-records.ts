import { Redis } from 'ioredis';

/**
 * Writes a record of one second's length per model and second, as a right writer would under perfectly even traffic of 1024
 * input and 128 output tokens.
 * @param redisUrl may be away for a while: what is due then is lost
 * @param rate of a model at this moment (requests/s)
 */
export const writeSteadyRecords = (redisUrl: string, models: readonly string[], rate: (model: string) => number) => {
  const client = new Redis(redisUrl, { maxRetriesPerRequest: 0, enableOfflineQueue: false, retryStrategy: () => 200 });
  client.on('error', () => {});
  const write = (end: number): void => {
    for (const model of models) {
      const count = Math.round(rate(model));
      const record = {
        meta_v: 4,
        meta_interval_sec: 1,
        meta_precision: 10,
        meta_total_reqs: count,
        meta_pending_reqs: 0,
        meta_queueing_reqs: 0,
        ...(count > 0 ? { '100:70': count } : {}),
      };
      client.set(`aibrix:${model}_request_trace_${end}`, JSON.stringify(record), 'EX', 600).catch(() => {});
    }
  };
  let written = Math.floor(Date.now() / 1000);
  // A busy machine calls late: a second without a record would be one without requests.
  const timer = setInterval(() => {
    while (written + 1 <= Date.now() / 1000) {
      written += 1;
      write(written);
    }
  }, 200);
  return {
    stop: () => {
      clearInterval(timer);
      client.disconnect();
    },
  };
};
