/**
 * What routing by the plan is worth with a real engine at two speeds: llama.cpp's server on the CPU with two models, the larger
 * one slower and cheaper. Both are measured by `gpumix benchmark`, at the same time as they will serve; then Azure's
 * conversation trace with lengths / 8 and one request in N is played before them, so many that the best answer is one of each.
 *
 *   node hack/gateway/real.ts --server .../llama-server --models fast.gguf,slow.gguf [--every N] [--folder DIR]
 *
 * With models of 10 and 40 layers of width 512 the best answer is one of each: long prompts take the slow one longer than the
 * limit, and the fast one alone cannot carry all. 25 minutes, on two cores with nothing beside. Flags or GPUMIX_LLAMA_SERVER and
 * GPUMIX_LLAMA_MODELS; what was measured is kept in the folder where one is given. Exit 3 where something is missing.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { RouterKnowledge } from '../../src/vocabulary/planning-documents.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';
import { type LlamaServer, startLlama } from '../engine/llama-server.ts';
import { promptsFor } from '../engine/prompts.ts';
import { freePorts } from '../free-ports.ts';
import { compareRouters } from './compare-routers.ts';
import { plannedFleet } from './planned-fleet.ts';
import { endWithUs, gpumixBundle, temporaryFolder } from './processes.ts';

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: process.env['GPUMIX_LLAMA_SERVER'] ?? '' },
    models: { type: 'string', default: process.env['GPUMIX_LLAMA_MODELS'] ?? '' },
    every: { type: 'string' },
    'warm-up': { type: 'string', default: '60' },
    seconds: { type: 'string', default: '200' },
    folder: { type: 'string' },
  },
});
const files = values.models.split(',').filter((path) => path !== '');
const missing = [values.server, ...files].find((path) => !existsSync(path));
if (missing !== undefined || files.length !== 2) {
  console.log(`real engines: not run: ${missing ?? 'set GPUMIX_LLAMA_SERVER and GPUMIX_LLAMA_MODELS (two .gguf files)'}`);
  process.exit(3);
}
const seconds = Number(values.seconds);
const folder = values.folder ?? temporaryFolder();
const model = 'm';
/**
 * A limit on TTFT that the slow engine clearly breaks with 256 tokens, by itself: where it nearly keeps it, that takes half
 * an hour to tell.
 */
const slo = { percentile: 90, ttft: 0.8, tpot: 0.1 };
/** Two cores take two engines: one of each, or two fast ones for half as much again. */
const variants = [
  { name: 'fast', gpu: 'FAST', price: 3, maxReplicas: 2 },
  { name: 'slow', gpu: 'SLOW', price: 1, maxReplicas: 1 },
];
const modelFile = (gpu: string): string => files[variants.findIndex((one) => one.gpu === gpu)]!;

const startEngine = async (gpu: string): Promise<LlamaServer> => {
  const [port] = (await freePorts(1)) as [number];
  return await startLlama(values.server, modelFile(gpu), port);
};

const gpumix = async (...argv: string[]): Promise<string> => {
  const running = promisify(execFile)(process.execPath, [gpumixBundle(), ...argv]);
  endWithUs(running.child);
  return (await running).stdout;
};

/** Measures within the SLO, and writes the profile. */
const measure = async ({ gpu, price }: (typeof variants)[number], engine: LlamaServer): Promise<void> => {
  const results = join(folder, `${gpu}.jsonl`);
  const limits = ['--ttft', String(slo.ttft), '--tpot', String(slo.tpot), '--percentile', String(slo.percentile)];
  const grid = ['--input-start', '64', '--input-limit', '512', '--output-start', '32', '--output-limit', '32'];
  const effort = ['--requests', '60', '--probe-seconds', '60', '--precision', '0.3', '--rate-limit', '200'];
  await gpumix('benchmark', '--endpoint', engine.url, ...grid, ...limits, ...effort, '-o', results);
  const text = await gpumix('profile', gpu, '--benchmark', results, ...limits, '--cost', String(price));
  const profile = { ...JSON.parse(text), gpu: undefined, gpuType: gpu };
  writeFileSync(join(folder, 'profiles', model, `${gpu}.json`), JSON.stringify(profile));
  console.log(`${gpu}: req/s within the SLO ${JSON.stringify(profile.tputs)}, output x input ${JSON.stringify(profile.indexes)}`);
};

mkdirSync(join(folder, 'profiles', model), { recursive: true });
const engines = await Promise.all(variants.map(({ gpu }) => startEngine(gpu)));
const prompt = await promptsFor(engines[0]!.url, model);
await Promise.all(variants.map((variant, index) => measure(variant, engines[index]!)));
for (const engine of engines) await engine.stop();

const path = join(import.meta.dirname, '../simulate/traces/AzureLLMInferenceTrace_conv.csv');
const conversation = parseTrace(readFileSync(path, 'utf8'), path).filter(({ time }) => time < seconds);
const oneIn = (every: number): readonly TraceRequest[] =>
  conversation
    .filter((_, index) => Math.floor((index + 1) / every) > Math.floor(index / every))
    .map(({ time, inputTokens, outputTokens }) => ({
      time,
      inputTokens: Math.ceil(inputTokens / 8),
      outputTokens: Math.ceil(outputTokens / 8),
    }));

const plannedFor = (every: number, routing: RouterKnowledge): readonly number[] =>
  plannedFleet(model, variants, join(folder, 'profiles'), oneIn(every), seconds, routing);

const costOf = (replicas: readonly number[]): number =>
  variants.reduce((sum, { price }, index) => sum + price * replicas[index]!, 0);

/** The middle of the range for which it is one of each. */
const everyForOneOfEach = (): number => {
  const found = Array.from({ length: 91 }, (_, step) => 1 + step / 10).filter(
    (every) => String(plannedFor(every, 'input')) === '1,1',
  );
  if (found.length === 0) throw new Error('no part of the trace makes a plan of one of each');
  console.log(`one of each is planned for one request in ${found[0]} to ${found.at(-1)}`);
  return found[Math.floor(found.length / 2)]!;
};

const every = values.every === undefined ? everyForOneOfEach() : Number(values.every);
console.log(
  `llama.cpp at two speeds; Azure conversation: lengths / 8, one request in ${every}; planned for: ${plannedFor(every, 'input').join(' + ')}, round robin ${plannedFor(every, 'none').join(' + ')}`,
);
await compareRouters({
  model,
  slo,
  variants,
  profiles: join(folder, 'profiles'),
  trace: oneIn(every),
  seconds,
  warmUp: Number(values['warm-up']),
  prompt,
  startEngine,
  // What its plan for all of the trace costs: a burst is no reason for a third engine on two cores.
  flags: (routing) => [`--budget=${costOf(plannedFor(every, routing))}`],
});
process.exit();
