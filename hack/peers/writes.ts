import { Redis } from 'ioredis';

/** A record as a gateway wrote it. */
export interface Write {
  /** When Redis got it (Unix seconds). */
  readonly at: number;
  readonly key: string;
  readonly value: string;
}

/** Every record written to a Redis from now on, also those that another write of the same key destroys. */
export const watchWrites = async (redisUrl: string) => {
  const client = new Redis(redisUrl);
  const monitor = await client.monitor();
  const writes: Write[] = [];
  monitor.on('monitor', (time: string, [command = '', key = '', value = '']: string[]) => {
    if (command.toLowerCase() === 'set' && key.includes('_request_trace_')) writes.push({ at: Number(time), key, value });
  });
  return {
    writes: writes as readonly Write[],
    stop: () => {
      monitor.disconnect();
      client.disconnect();
    },
  };
};
