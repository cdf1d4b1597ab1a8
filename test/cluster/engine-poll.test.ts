import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { readMetrics } from '../../src/cluster/engine-poll.ts';

const cleanup: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanup.splice(0)) clean();
});
const serving = async (answer: RequestListener): Promise<string> => {
  const server = createServer(answer);
  cleanup.push(() => server.close().closeAllConnections());
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
};

test('what an engine says', async () => {
  expect(await readMetrics(await serving((_, response) => response.end('vllm:x 1\n')), 1)).toBe('vllm:x 1\n');
});

test.each<[string, RequestListener, string]>([
  ['leads elsewhere', (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 'leads elsewhere'],
  ['never ends', (_, response) => void setInterval(() => response.write('x'.repeat(1 << 20)), 1).unref(), 'says too much'],
  ['says nothing', () => {}, 'timeout'],
  ['breaks off', (_, response) => void response.socket?.destroy(), 'socket hang up'],
])('one that %s is not believed', async (_, answer, problem) => {
  await expect(readMetrics(await serving(answer), 0.5)).rejects.toThrow(new RegExp(`${problem}|aborted`));
});
