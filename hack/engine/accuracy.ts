/**
 * How near `gpumix benchmark` comes to the truth on the engine model, and how long the engine is busy with it. The truth is
 * a benchmark of the same engine that nobody would wait for: 20,000 requests a rate, to 1 %. Beside it a sweep as AIBrix's,
 * 100 requests at each rate from 1 to 128 req/s, but in steps of 5 % in place of doubling, as it is to be as exact. All in
 * virtual time.
 *
 *   node hack/engine/accuracy.ts [--gpu L40S] [--inputs 128,512,2048] [--outputs 16,64,256] [--requests 300]
 */
import { parseArgs } from 'node:util';
import { isServedWithin, profileOfResults } from '../../src/benchmark/profile-of.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { measurementsOf, type Sample } from '../../src/benchmark/samples.ts';
import { type Size, sizesOf } from '../../src/benchmark/sizes.ts';
import { sweep } from '../../src/benchmark/sweep.ts';
import { assumedVocabulary, promptOf } from '../../src/benchmark/words.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { measuredThroughput } from '../../src/simulation/measure.ts';
import { exponential, seeded } from '../../src/simulation/random.ts';
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
const sizes = sizesOf(inputs, outputs);
const truths = sizes.map(
  (size) => measuredThroughput(speed, size, { slo, warmUp: 6000, counted: 20_000, seed: 1 }).throughput,
);
const found = inputs.flatMap((_, column) => outputs.map((_, row) => measured[row]![column]!));
for (const [index, { inputTokens, outputTokens }] of sizes.entries())
  console.log(
    `${inputTokens} in, ${outputTokens} out: ${found[index]!.toFixed(2)} req/s, true ${truths[index]!.toFixed(2)}`,
  );
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const report = (name: string, rates: readonly number[], tried: number, seconds: number): void => {
  const errors = rates.map((rate, index) => Math.abs(rate / truths[index]! - 1)).sort((a, b) => a - b);
  const error = `median error ${percent(errors[errors.length >> 1]!)}, largest ${percent(errors.at(-1)!)}`;
  console.log(`${name}: ${error}; ${tried} rates tried; the engine was busy ${(seconds / 60).toFixed(0)} min`);
};
report('gpumix benchmark', found, probes, clock.now());

/** Poisson arrivals from an empty engine until the last answer. */
const sampled = async (world: ReturnType<typeof virtualEndpoint>, size: Size, rate: number): Promise<Sample[]> => {
  const random = seeded(0);
  const answers = [];
  for (let index = 0; index < 100; index += 1) {
    const { text } = promptOf(size.inputTokens, assumedVocabulary, random);
    answers.push(world.endpoint.ask(text, size.outputTokens, new AbortController().signal, () => {}));
    if (index < 99) await world.clock.until(world.clock.now() + exponential(random, 1 / rate));
  }
  return (await Promise.all(answers)).map((answer): Sample => (answer.kind === 'served' ? answer : { kind: 'failed' }));
};
const stepped = virtualEndpoint(speed);
const best: number[] = [];
let tried = 0;
for (const size of sizes) {
  let highest = 0;
  for (let rate = 1; rate <= 128; rate *= 1.05) {
    tried += 1;
    const rows = measurementsOf(await sampled(stepped, size, rate), size, rate).map((row) => ({ ...row, line: 0 }));
    if (isServedWithin(rows, rate, slo)) highest = rate;
  }
  best.push(highest);
}
report('sweep in steps of 5 %', best, tried, stepped.clock.now());
