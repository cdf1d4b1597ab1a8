import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { profileDocument } from '../../src/profiles/profile-document.ts';
import { engineSpeed, slowed } from '../../src/simulation/engine-speeds.ts';
import { measuredProfile, usualMeasurement } from '../../src/simulation/measure.ts';
import { parseTrace, type TraceRequest } from '../../src/workload/gateway-records.ts';
import { compareRouters } from './compare-routers.ts';
import { startEngine, temporaryFolder } from './processes.ts';

/**
 * What routing by the plan is worth: Azure's conversation trace at its real token sizes, against engines over HTTP. Two GPU
 * types of which the cheap one serves short prompts within the SLO and long ones not: the engine model of an L40S and an H100
 * with a model three times as heavy as Llama 3.1 8B, and prices made up, so that the best answer is a mix by construction.
 *
 *   node hack/gateway/mix.ts [--speed 2] [--warm-up 120] [--seconds 330] [--only-own-fleet]
 */
const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '120' },
    seconds: { type: 'string', default: '330' },
    'only-own-fleet': { type: 'boolean', default: false },
  },
});
const [speed, seconds] = [Number(values.speed), Number(values.seconds)];
const model = 'heavy';
const slo = { percentile: 99, ttft: 2, tpot: 0.2 };
const slower = 3;
const variants = [
  { name: 'l40s', gpu: 'L40S', price: 0.5 },
  { name: 'h100', gpu: 'H100', price: 4 },
];

/** Measured on the engine model, as a benchmark would. */
const writeProfiles = (): string => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, model));
  const grid = { inputTokens: [64, 256, 512, 1024, 2048, 4096, 8192], outputTokens: [16, 64, 256, 1024] };
  for (const { gpu, price } of variants) {
    const measured = measuredProfile(slowed(engineSpeed(gpu), slower), grid, { gpu, cost: price }, { ...usualMeasurement, slo });
    writeFileSync(join(folder, model, `${gpu}.json`), JSON.stringify({ ...profileDocument(measured), gpuType: gpu }));
  }
  return folder;
};

const file = join(import.meta.dirname, '../simulate/traces/AzureLLMInferenceTrace_conv.csv');
console.log(`Azure conversation at ${speed} x`);
await compareRouters(
  {
    model,
    slo,
    variants,
    profiles: writeProfiles(),
    trace: parseTrace(readFileSync(file, 'utf8'), file)
      .map((request): TraceRequest => ({ ...request, time: request.time / speed }))
      .filter(({ time }) => time < seconds),
    seconds,
    warmUp: Number(values['warm-up']),
    /** Words of one token each, of the engine's tokenizer; the beginning is one more. */
    prompt: (tokens) => 'day '.repeat(Math.max(0, tokens - 1)),
    startEngine: (gpu) => startEngine('--gpu', gpu, '--faster', String(1 / slower), '--model', model),
  },
  values['only-own-fleet'],
);
process.exit();
