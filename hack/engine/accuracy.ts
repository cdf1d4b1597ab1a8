/**
 * How near `gpumix benchmark` comes to the truth on the engine model, and how long the engine is busy with it: as it is by
 * default, and with probes that may last hours. Beside it sweeps over fixed rates as AIBrix's, the same requests at each: its
 * own doubling, and steps as fine as ours with more and more requests until they are as near to the truth. The truth is a
 * bisection of the same engine to half a percent with 100,000 requests a rate. All in virtual time; on one core about half an
 * hour.
 *
 *   node hack/engine/accuracy.ts [--gpu L40S] [--inputs 128,256,...] [--outputs 16,32,...] [--out hack/engine/accuracy.md]
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { sizesOf } from '../../src/benchmark/sizes.ts';
import type { SweepOptions } from '../../src/benchmark/sweep.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { fixedSweep, trueThroughput } from './fixed-sweep.ts';
import { usualSweep, virtualBenchmark } from './virtual-benchmark.ts';

const { values } = parseArgs({
  options: {
    gpu: { type: 'string', default: 'L40S' },
    inputs: { type: 'string', default: '128,256,384,512,768,1024,1536,2048' },
    outputs: { type: 'string', default: '16,32,64,128,256,512' },
    out: { type: 'string' },
  },
});
const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
const speed = engineSpeed(values.gpu);
const numbers = (list: string): readonly number[] => list.split(',').map(Number);
const grid = { inputs: numbers(values.inputs), outputs: numbers(values.outputs) };
const sizes = sizesOf(grid.inputs, grid.outputs);
/** Inputs are multiples of it, so that prompts need fewer words. */
const tokensPerWord = 32;

interface Found {
  readonly name: string;
  /** req/s by size. */
  readonly rates: readonly number[];
  readonly tried: number;
  readonly seconds: number;
}

const ours = async (name: string, more: Partial<SweepOptions>): Promise<Found> => {
  const { lines, probes, seconds } = await virtualBenchmark(speed, { ...usualSweep(slo), ...grid, ...more }, tokensPerWord);
  const labels = { deployment: 'd', cost: 1, created: 0, gpuType: null, gpusPerReplica: null };
  const { document } = profileOfResults(parseResults(lines.join('\n')), { ...labels, slo });
  const measured = document['tputs'] as readonly (readonly number[])[];
  const rates = grid.inputs.flatMap((_, column) => grid.outputs.map((_, row) => measured[row]![column]!));
  return { name, rates, tried: probes, seconds };
};

const theirs = (name: string, step: number, to: number, requests: number): Found => {
  const { highest, tried, seconds } = fixedSweep(speed, { ...grid, rates: { from: 1, to, step }, requests, slo });
  return { name, rates: highest, tried, seconds };
};

const quick = await ours('gpumix benchmark', {});
console.error(`by default: ${(quick.seconds / 3600).toFixed(1)} h`);
const truths = sizes.map((size, index) => trueThroughput(speed, size, slo, quick.rates[index]!));
const errorsOf = ({ rates }: Found): readonly number[] => rates.map((rate, index) => rate / truths[index]! - 1);
const largest = (found: Found): number => Math.max(...errorsOf(found).map(Math.abs));
const median = (found: Found): number => {
  const sorted = errorsOf(found)
    .map(Math.abs)
    .sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
};

const thorough = await ours('the same, --precision 0.03 --probe-seconds 20000', {
  precision: 0.03,
  mostSeconds: 20_000,
});
console.error(`thorough: ${(thorough.seconds / 3600).toFixed(1)} h`);
console.error(`errors up to ${percent(largest(quick))} and ${percent(largest(thorough))}`);
const found = [quick, thorough, theirs('doubling, 100 requests', 1, 512, 100)];
write();
for (let requests = 100; requests <= 1600; requests *= 4) {
  const sweep = theirs(`steps of 3 %, ${requests} requests`, 0.03, 1.1 * Math.max(...truths), requests);
  found.push(sweep);
  write();
  console.error(`${sweep.name}: ${percent(largest(sweep))}`);
  if (largest(sweep) <= largest(thorough)) break;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
/** What is known so far. */
function write(): void {
  const rows = found.map(
    (one) =>
      `| ${one.name} | ${one.tried} | ${(one.seconds / 3600).toFixed(1)} | ${percent(median(one))} | ${percent(largest(one))} | ${(one.seconds / thorough.seconds).toFixed(2)} |`,
  );
  const cells = sizes.map(
    ({ inputTokens, outputTokens }, index) =>
      `| ${inputTokens} in, ${outputTokens} out | ${truths[index]!.toFixed(2)} | ${[quick, thorough].map((one) => `${one.rates[index]!.toFixed(2)} | ${percent(errorsOf(one)[index]!)}`).join(' | ')} |`,
  );
  const text = `# How near the benchmark comes

Written by \`node hack/engine/accuracy.ts --gpu ${values.gpu} --out FILE\`: the engine model of an ${values.gpu}, ${grid.inputs.length} x ${grid.outputs.length} sizes, TTFT < 2 s and TPOT < 0.1 s at p99.

| | rates tried | engine busy, hours | median error | largest error | engine time over the thorough one's |
|---|---|---|---|---|---|
${rows.join('\n')}

| size | true req/s | by default | error | thorough | error |
|---|---|---|---|---|---|
${cells.join('\n')}
`;
  if (values.out === undefined) console.log(text);
  else writeFileSync(values.out, text);
}
