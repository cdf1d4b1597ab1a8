/**
 * The gateway before a real engine at two speeds: llama.cpp's server on the CPU with two models, as in hack/engine/real.ts.
 * Azure's conversation trace with lengths / 8 and one request in N, by the plan and round robin.
 *
 *   node hack/gateway/real.ts --server .../llama-server --models fast.gguf,slow.gguf [--every 20] [--seconds 120]
 *
 * Flags or GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS. Exit 3 where something is missing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { planOf } from '../../src/planner/plan.ts';
import { classesOf } from '../../src/planner/routing-plan.ts';
import { profileOf } from '../../src/profiles/profile.ts';
import { servedByProfile } from '../../src/profiles/served.ts';
import { withinSlo } from '../../src/simulation/slo.ts';
import { bucketIndex, tokensOf } from '../../src/workload/bucket-index.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';
import { startLlama } from '../engine/llama-server.ts';
import { freePorts } from '../free-ports.ts';
import { type Played, percentile, playTrace } from './load.ts';
import { endpointsFile, startGateway, startRedisServer, writePlan } from './processes.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: process.env['GPUMIX_LLAMA_SERVER'] ?? '' },
    models: { type: 'string', default: process.env['GPUMIX_LLAMA_MODELS'] ?? '' },
    every: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '120' },
  },
});
const files = values.models.split(',').filter((path) => path !== '');
const missing = [values.server, ...files].find((path) => !existsSync(path));
if (missing !== undefined || files.length < 2) {
  console.log(
    `real engines: not run: ${missing ?? 'set GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS (two .gguf files)'}`,
  );
  process.exit(3);
}
const [every, seconds] = [Number(values.every), Number(values.seconds)];
const model = 'm';
const slo = { percentile: 90, ttft: 1, tpot: 0.1 };
/** Of hack/engine/real.md: req/s within that SLO, output 8 and 16 x input 64 and 128. */
const measured = [
  {
    name: 'ns/fast',
    price: 2,
    tputs: [
      [8.61, 4.17],
      [4.84, 3.32],
    ],
  },
  {
    name: 'ns/slow',
    price: 1,
    tputs: [
      [2.11, 0.81],
      [2.11, 0.81],
    ],
  },
];
const path = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');
const trace = parseTrace(readFileSync(path, 'utf8'), path)
  .filter(({ time }, index) => index % every === 0 && time < seconds)
  .map(
    (one): TraceRequest => ({
      time: one.time,
      inputTokens: Math.ceil(one.inputTokens / 8),
      outputTokens: Math.ceil(one.outputTokens / 8),
    }),
  );

/** The plan for exactly one replica of each. */
const classes = () => {
  const sizes = Map.groupBy(trace, (one) => `${bucketIndex(one.inputTokens)}:${bucketIndex(one.outputTokens)}`);
  const demand = [...sizes].map(([name, all]) => {
    const [input = 0, output = 0] = name.split(':').map(Number);
    return { inputTokens: tokensOf(input, 10), outputTokens: tokensOf(output, 10), arrivalRate: all.length / seconds };
  });
  const variants = measured.map(({ name, price, tputs }) => ({
    ...{ name, gpu: name, gpusPerReplica: 1, price, minReplicas: 1, maxReplicas: 1, running: null, ready: null },
    ...servedByProfile(
      profileOf(
        {
          gpu: name,
          cost: price,
          indexes: [
            [8, 16],
            [64, 128],
          ],
          tputs,
          slos: slo,
        },
        name,
      ),
      demand,
    ),
  }));
  const plan = planOf({
    ...{ now: null, stock: {}, budget: null, routing: 'input' },
    models: [{ name: model, priority: 0, demand, variants, previous: null }],
  });
  return classesOf(plan.models[0]!);
};

/** Words of three tokens or so, never the same twice: a prefix that was seen costs the engine nothing. */
let words = 0;
const nextWord = (): string => {
  words += 7919;
  return `w${words % 200}`;
};
const prompt = (tokens: number): string =>
  Array.from({ length: Math.max(1, Math.round(tokens / 3)) }, nextWord).join(' ');
const report = (name: string, played: readonly Played[]): void => {
  const within = played.filter((one) => one.ok && withinSlo(slo, one)).length;
  const first = played.map(({ firstTokenAt, arrivedAt }) => firstTokenAt - arrivedAt);
  console.log(
    `${name}: ${((100 * within) / played.length).toFixed(1)} % of ${played.length} within TTFT ${slo.ttft} s and TPOT ${slo.tpot} s; TTFT p50 ${percentile(first, 0.5).toFixed(2)}, p90 ${percentile(first, 0.9).toFixed(2)} s; ${played.filter(({ ok }) => !ok).length} failed`,
  );
};

const ports = await freePorts(2);
const engines = [];
for (const [index, file] of files.slice(0, 2).entries())
  engines.push(await startLlama(values.server, file, ports[index]!));
const origins = ports.map((port) => `http://127.0.0.1:${port}`);
const redis = await startRedisServer();
await writePlan(redis.url, model, [...classes()]);
const gateway = await startGateway(
  redis.url,
  endpointsFile({ [model]: { 'ns/fast': [origins[0]], 'ns/slow': [origins[1]] } }),
);
console.log(`llama.cpp at two speeds, Azure conversation: lengths / 8, one request in ${every}, ${seconds} s`);
console.log(`plan: ${JSON.stringify(classes())}`);
report('gateway, by the plan', await playTrace(trace, () => [gateway.url], model, prompt));
report('round robin', await playTrace(trace, () => origins, model, prompt));
for (const one of [gateway, redis, ...engines]) await one.stop();
process.exit();
