import { spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { benchProgress } from '../bench/bench-progress.ts';
import { freePorts } from '../free-ports.ts';
import { endpointsFile, gpumixBundle, startInstantEngine, startRedisServer, writePlan } from './processes.ts';

/**
 * Whether the gateway's memory grows: streams that are read to their end, and streams that are left in the middle.
 *   node hack/gateway/memory.ts [REQUESTS]      100,000 of each; exit 1 where the live heap grows by 1 MiB or more per 100,000
 */
const count = Number(process.argv[2] ?? 100_000);
const redis = await startRedisServer();
const engine = await startInstantEngine(4, 0);
await writePlan(redis.url, 'm', [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }], { 'ns/a': 1e6 });
const [port, adminPort] = (await freePorts(2)) as [number, number];
const gateway = spawn(
  process.execPath,
  [
    ...['--expose-gc', '--import', join(import.meta.dirname, 'heap-probe.ts'), gpumixBundle(), 'gateway'],
    ...['--redis-url', redis.url, '--endpoints', endpointsFile({ m: { 'ns/a': [engine.url] } })],
    ...['--bind-address', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)],
    ...['--drain-seconds', '0', '--finish-seconds', '1'],
  ],
  { stdio: ['ignore', 'ignore', 'pipe'] },
);
const said: string[] = [];
createInterface(gateway.stderr).on('line', (line) => said.push(line));
const line = async (holds: (text: string) => boolean): Promise<string> => {
  for (;;) {
    const found = said.find(holds);
    if (found !== undefined) {
      said.length = 0;
      return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
await line((text) => text.includes('"serving"'));
const heap = async (): Promise<number> => {
  await new Promise((resolve) => setTimeout(resolve, 6_000)); // kept connections end
  said.length = 0;
  gateway.kill('SIGUSR2');
  return Number((await line((text) => text.startsWith('heap'))).slice(5));
};

const body = JSON.stringify({ model: 'm', prompt: 'word '.repeat(50), max_tokens: 4, stream: true });
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const one = (leave: boolean): Promise<void> =>
  new Promise((resolve) => {
    const sending = request({ port, path: '/v1/completions', method: 'POST', agent }, (response) => {
      response.once('data', () => {
        if (leave) sending.destroy();
      });
      response.on('close', resolve).on('error', () => {});
      response.resume();
    });
    sending.on('error', () => resolve());
    sending.end(body);
  });
const progress = benchProgress('gateway-memory');
let over = 0;
const run = async (requests: number, leave: boolean): Promise<void> => {
  let left = requests;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      over += 1;
      progress.tell(over / (2.5 * count));
      await one(leave);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
};

let failed = false;
for (const leave of [false, true]) {
  await run(count / 4, leave);
  const before = await heap();
  await run(count, leave);
  const after = await heap();
  const grown = ((after - before) * 100_000) / count;
  failed ||= grown >= 1;
  progress.print(
    `${count} streams ${leave ? 'left in the middle' : 'read to their end'}: live heap ${before.toFixed(2)} -> ${after.toFixed(2)} MiB, ${grown.toFixed(2)} MiB per 100,000`,
  );
}
progress.end();
gateway.kill('SIGTERM');
await engine.stop();
await redis.stop();
process.exit(failed ? 1 : 0);
