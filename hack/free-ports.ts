import { createServer } from 'node:net';

/** Below the range that outgoing connections take theirs from: a port that is given up for a restart stays free. */
const [lowest, highest] = [15_000, 30_000];

/** Ports of 127.0.0.1 that nobody listens on at this moment. */
export const freePorts = async (count: number): Promise<number[]> => {
  const found = new Set<number>();
  while (found.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) found.add(port);
  }
  return [...found];
};

/** Whether nobody listens on a port of 127.0.0.1. */
export const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
