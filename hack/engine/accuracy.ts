/**
 * How near `gpumix benchmark` comes to the truth on the engine model, and how long the engine is busy with it. The truth is
 * a benchmark of the same engine that nobody would wait for: 20,000 requests a rate, to 1 %. All in virtual time.
 *
 *   node hack/engine/accuracy.ts [--gpu L40S] [--inputs 128,512,2048] [--outputs 16,64,256] [--requests 300]
 */
import { parseArgs } from 'node:util';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { sweep } from '../../src/benchmark/sweep.ts';
import { assumedVocabulary } from '../../src/benchmark/words.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { measuredThroughput } from '../../src/simulation/measure.ts';
import { virtualEndpoint } from './virtual-endpoint.ts';

const { values } = parseArgs({
  options: {
    gpu: { type: 'string', default: 'L40S' },
    inputs: { type: 'string', default: '128,512,2048' },
    outputs: { type: 'string', default: '16,64,256' },
    requests: { type: 'string', default: '300' },
  },
});
const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
const speed = engineSpeed(values.gpu);
const [inputs, outputs] = [values.inputs, values.outputs].map((list) => list.split(',').map(Number)) as [
  number[],
  number[],
];
const { endpoint, clock } = virtualEndpoint(speed);
const lines: string[] = [];
let probes = 0;
await sweep(
  {
    inputs,
    outputs,
    rateStart: null,
    rateLimit: 1000,
    precision: 0.05,
    slo,
    requests: Number(values.requests),
    mostSeconds: 300,
    seed: 0,
    model: 'm',
    temperature: 0,
  },
  {
    endpoint,
    clock,
    vocabulary: assumedVocabulary,
    append: async (more) => void lines.push(...more),
    tell: ({ kind }) => {
      if (kind === 'probe') probes += 1;
    },
  },
  [],
);
const labels = { deployment: 'd', cost: 1, created: 0, gpuType: null, gpusPerReplica: null };
const { document } = profileOfResults(parseResults(lines.join('\n')), { ...labels, slo });
const measured = document['tputs'] as readonly (readonly number[])[];
const shares = outputs.flatMap((outputTokens, row) =>
  inputs.map((inputTokens, column) => {
    const measurement = { slo, warmUp: 6000, counted: 20_000, seed: 1 };
    const { throughput } = measuredThroughput(speed, { inputTokens, outputTokens }, measurement);
    const share = measured[row]![column]! / throughput;
    const rates = `${measured[row]![column]!.toFixed(2)} req/s, true ${throughput.toFixed(2)}`;
    console.log(`${inputTokens} in, ${outputTokens} out: ${rates}, ${((share - 1) * 100).toFixed(1)} %`);
    return share;
  }),
);
const errors = shares.map((share) => Math.abs(share - 1)).sort((a, b) => a - b);
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
console.log(
  `median error ${percent(errors[errors.length >> 1]!)}, largest ${percent(errors.at(-1)!)}; ${probes} rates tried; the engine was busy ${(clock.now() / 60).toFixed(0)} min`,
);
