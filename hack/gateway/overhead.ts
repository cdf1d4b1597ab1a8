import { cpuSeconds, rssMiB } from '../api/bundled-server.ts';
import { benchProgress } from '../bench/bench-progress.ts';
import { openLoop, percentile, type Timing } from './load.ts';
import {
  endpointsFile,
  type Started,
  startGateway,
  startInstantEngine,
  startNginx,
  startRedisServer,
  writePlan,
} from './processes.ts';

/**
 * What the gateway adds: the same streams straight from the engine, through nginx as a plain reverse proxy, and through
 * the gateway, in turns.
 *   node hack/gateway/overhead.ts [REQUESTS_PER_SECOND] [SECONDS] [ROUNDS]
 */
const [perSecond = 500, seconds = 10, rounds = 3] = process.argv.slice(2).map(Number);
const model = 'm';
const body = JSON.stringify({ model, prompt: 'word '.repeat(100), max_tokens: 8, stream: true });

const redis = await startRedisServer();
const engines = [await startInstantEngine(8, 5), await startInstantEngine(8, 5)];
const origins = engines.map(({ url }) => url);
await writePlan(redis.url, model, [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 0.5, 'ns/b': 0.5 } }]);
const gateway = await startGateway(redis.url, endpointsFile({ [model]: { 'ns/a': [origins[0]], 'ns/b': [origins[1]] } }));
const nginx = await startNginx(origins);
const targets: readonly { name: string; url: string; process: Started | null }[] = [
  { name: 'direct', url: origins[0]!, process: null },
  ...(nginx === null ? [] : [{ name: 'nginx', url: nginx.url, process: nginx }]),
  { name: 'gateway', url: gateway.url, process: gateway },
];
for (const { url } of targets) await openLoop(url, perSecond, 10, body); // warm-up: compilation alone takes seconds

const found = new Map(targets.map(({ name }) => [name, { timings: [] as Timing[], cpu: 0 }]));
const progress = benchProgress('gateway');
for (let round = 0; round < rounds; round += 1)
  for (const [index, { name, url, process: server }] of targets.entries()) {
    progress.tell((round + index / targets.length) / rounds);
    const before = server === null ? 0 : cpuSeconds(server.pid);
    const timings = await openLoop(url, perSecond, seconds, body);
    const one = found.get(name)!;
    one.timings.push(...timings);
    one.cpu += server === null ? 0 : cpuSeconds(server.pid) - before;
  }
progress.end();
const milliseconds = (value: number): string => value.toFixed(2).padStart(7);
const direct = found.get('direct')!.timings;
console.log(`${perSecond} streams a second of 8 tokens 5 ms apart, ${rounds} rounds of ${seconds} s each, in turns`);
for (const { name } of targets) {
  const { timings, cpu } = found.get(name)!;
  const added = (key: 'first' | 'whole', share: number): string => {
    const values = (all: readonly Timing[]) => all.map((one) => one[key]);
    return milliseconds(percentile(values(timings), share) - percentile(values(direct), share));
  };
  const failed = timings.filter(({ ok }) => !ok).length;
  console.log(
    `${name.padEnd(8)} first byte p50 ${milliseconds(
      percentile(
        timings.map(({ first }) => first),
        0.5,
      ),
    )} ms, p99 ${milliseconds(
      percentile(
        timings.map(({ first }) => first),
        0.99,
      ),
    )} ms` +
      (name === 'direct'
        ? ''
        : `; added: first byte p50 ${added('first', 0.5)}, p99 ${added('first', 0.99)}, whole p50 ${added('whole', 0.5)}, p99 ${added('whole', 0.99)} ms; ${Math.round(timings.length / cpu)} requests per CPU second`) +
      `; ${failed} failed`,
  );
}
if (nginx === null) console.log('nginx: not run, it is not installed');
console.log(`gateway: RSS ${rssMiB(gateway.pid).toFixed(0)} MiB`);
for (const one of [gateway, nginx, ...engines, redis]) await one?.stop();
