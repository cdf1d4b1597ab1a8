/**
 * Writes the sets whose profiles are measured points and nothing else: src/simulation/sets/{silicon,aibrix}-*.json. The engines
 * that stand for the GPUs are fitted to the same points; what they attain is found all the same.
 *
 *   node hack/simulate/measured-sets.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { type Measurement, parseResults } from '../../src/benchmark/results.ts';
import type { Slo } from '../../src/profiles/profile-document.ts';
import { withinSlo } from '../../src/simulation/slo.ts';
import { fittedSpeed, type MeasuredPoint, medianError } from './engine-fit.ts';

interface MeasuredGpu {
  readonly gpu: string;
  readonly gpusPerReplica: number;
  readonly profile: Record<string, unknown>;
  readonly points: readonly MeasuredPoint[];
  readonly cacheTokens: number;
}

/** One row of silicon_sample.csv; seconds. */
interface SiliconRow extends MeasuredPoint {
  readonly model: string;
  readonly system: string;
  readonly backend: string;
  readonly precision: string;
  readonly tensorParallel: number;
  readonly ttft: number;
  readonly tpot: number;
}

const perToken: Slo = { percentile: 0, ttft: 2, tpot: 0.1 };

const siliconRows = (): readonly SiliconRow[] =>
  readFileSync(join(import.meta.dirname, 'measured/aiconfigurator-silicon-llama.csv'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [model = '', system = '', backend = '', , precision = '', ...numbers] = line.split(',');
      const [tensorParallel, inputTokens, outputTokens, inFlight, ttftMs, tpotMs] = numbers.map(Number) as number[];
      const [ttft, tpot] = [ttftMs! / 1000, tpotMs! / 1000];
      return {
        ...{ model, system, backend, precision, tensorParallel: tensorParallel!, inputTokens: inputTokens! },
        ...{ outputTokens: outputTokens!, inFlight: inFlight!, ttft, tpot, seconds: ttft + (outputTokens! - 1) * tpot },
      };
    });

const ascending = (values: readonly number[]): readonly number[] => [...new Set(values)].sort((a, b) => a - b);

/** Of each size the most that was served within the limits, on average. */
const siliconProfile = (rows: readonly SiliconRow[], labels: object): Record<string, unknown> => {
  const [outputs, inputs] = [ascending(rows.map((row) => row.outputTokens)), ascending(rows.map((row) => row.inputTokens))];
  const best = (output: number, input: number): SiliconRow | undefined =>
    rows
      .filter(({ inputTokens, outputTokens }) => inputTokens === input && outputTokens === output)
      .filter(({ ttft, seconds }) =>
        withinSlo(perToken, { arrivedAt: 0, firstTokenAt: ttft, doneAt: seconds, outputTokens: output }),
      )
      .toSorted((a, b) => rateOf(b) - rateOf(a))[0];
  const matrix = (value: (row: SiliconRow) => number) =>
    outputs.map((output) =>
      inputs.map((input) => {
        const row = best(output, input);
        return row === undefined ? 0 : Number(value(row).toPrecision(4));
      }),
    );
  return {
    ...labels,
    indexes: [outputs, inputs],
    tputs: matrix(rateOf),
    e2e: matrix(({ seconds }) => seconds),
    slos: perToken,
  };
};
const rateOf = ({ inFlight, seconds }: MeasuredPoint): number => inFlight / seconds;

const siliconGpu = (
  gpu: string,
  cost: number,
  cacheTokens: number,
  which: Partial<SiliconRow>,
  sizes: (row: SiliconRow) => boolean = () => true,
): MeasuredGpu => {
  const rows = siliconRows()
    .filter((row) => Object.entries(which).every(([name, value]) => row[name as keyof SiliconRow] === value))
    .filter(sizes);
  const gpusPerReplica = which.tensorParallel ?? 1;
  return {
    gpu,
    gpusPerReplica,
    profile: siliconProfile(rows, { gpuType: gpu, gpusPerReplica, cost }),
    // Where requests wait for a place in the cache their time says nothing of the engine's speed.
    points: rows.filter(({ ttft }) => ttft < 5),
    cacheTokens,
  };
};

const llama8b = 'meta-llama/Llama-3.1-8B-Instruct';
const llama70b = { model: 'meta-llama/Llama-3.1-70B', backend: 'vllm', precision: 'fp8' };
const short = ({ outputTokens }: SiliconRow): boolean => outputTokens < 8192;

const aibrixSlo: Slo = { percentile: 99, e2e: 20 };

/** Rates that the simulator kept up with, at their mean times. */
const pointsOf = (results: readonly Measurement[]): readonly MeasuredPoint[] => {
  const mean = (row: Measurement, metric: Measurement['metric']): number =>
    results.find(
      (one) =>
        one.metric === metric &&
        one.rate === row.rate &&
        one.inputTokens === row.inputTokens &&
        one.outputTokens === row.outputTokens,
    )?.values.mean ?? Number.NaN;
  return results.flatMap((row) => {
    const { metric, inputTokens, outputTokens, rate } = row;
    const [served, seconds] = [row.values.mean ?? 0, mean(row, 'E2E')];
    if (metric !== 'TPUT' || served < 0.95 * rate || !(seconds > 0)) return [];
    return [{ inputTokens, outputTokens, inFlight: Math.max(1, served * seconds), seconds }];
  });
};

const aibrixGpu = (gpu: string, cost: number, cacheTokens: number): MeasuredGpu => {
  const file = join(import.meta.dirname, `../../test/fixtures/benchmarks/simulator-llama2-7b-${gpu.toLowerCase()}.jsonl`);
  const results = parseResults(readFileSync(file, 'utf8'));
  const options = { deployment: gpu, cost, slo: aibrixSlo, created: 0, gpuType: gpu, gpusPerReplica: 1 };
  const { gpu: _deployment, created: _created, ...profile } = profileOfResults(results, options).document;
  return { gpu, gpusPerReplica: 1, profile, points: pointsOf(results), cacheTokens };
};

/** Tokens that fit: 90 % of the memory less the weights, by bytes per token of a 16-bit cache. */
const tokens = (memory: number, weights: number, perToken: number): number => Math.floor((0.9 * memory - weights) / perToken);

const runpod = 'RunPod, 2026-11, per GPU';
const sets = [
  {
    name: 'silicon-llama-8b',
    how: 'Llama 3.1 8B: H100 with TensorRT-LLM in 16 bits, H200 with SGLang in FP8, measured (ai-dynamo/aiconfigurator, Apache-2.0)',
    price: runpod,
    slo: perToken,
    gpus: [
      siliconGpu('H100', 3.99, tokens(80e9, 16.06e9, 131_072), {
        model: llama8b,
        system: 'h100_sxm',
        tensorParallel: 1,
      }),
      siliconGpu('H200', 4.59, tokens(141e9, 8.03e9, 131_072), {
        model: llama8b,
        system: 'h200_sxm',
        tensorParallel: 1,
      }),
    ],
  },
  {
    name: 'silicon-llama-70b',
    how: 'Llama 3.1 70B in FP8 with vLLM on two H100, one H200, one B200, measured (ai-dynamo/aiconfigurator, Apache-2.0)',
    price: runpod,
    slo: perToken,
    gpus: [
      siliconGpu('H100', 2 * 3.99, tokens(160e9, 70.6e9, 327_680), { ...llama70b, system: 'h100_sxm', tensorParallel: 2 }, short),
      siliconGpu('H200', 4.59, tokens(141e9, 70.6e9, 327_680), { ...llama70b, system: 'h200_sxm', tensorParallel: 1 }, short),
      siliconGpu('B200', 6.79, tokens(180e9, 70.6e9, 327_680), { ...llama70b, system: 'b200_sxm', tensorParallel: 1 }, short),
    ],
  },
  {
    name: 'aibrix-llama2-7b',
    how: "Llama 2 7B on AIBrix's simulated A100 and A40, its own benchmark results; simulated, not hardware (vllm-project/aibrix, Apache-2.0)",
    price: "as in AIBrix's own profiles, of the A100",
    slo: aibrixSlo,
    gpus: [aibrixGpu('A100', 1, tokens(80e9, 13.5e9, 524_288)), aibrixGpu('A40', 0.3, tokens(48e9, 13.5e9, 524_288))],
  },
];

for (const { name, how, price, slo, gpus } of sets) {
  const engines = gpus.map(({ gpu, points, cacheTokens }) => {
    const fitted = fittedSpeed(points);
    console.log(`${name} ${gpu}: ${points.length} points, median error ${(100 * medianError(points, fitted)).toFixed(1)} %`);
    const rounded = Object.fromEntries(Object.entries(fitted).map(([key, value]) => [key, Number(value.toPrecision(4))]));
    // As TensorRT-LLM, SGLang and vLLM take prompts on such GPUs by default.
    return [gpu, { ...rounded, promptTokensPerIteration: 8192, cacheTokens, maxRunning: 512 }];
  });
  const document = {
    ...{ how: `${how}; engines fitted to it by node hack/simulate/measured-sets.ts`, price, slo },
    profiles: gpus.map(({ profile }) => profile),
    engines: Object.fromEntries(engines),
  };
  const file = join(import.meta.dirname, '../../src/simulation/sets', `${name}.json`);
  writeFileSync(file, `${JSON.stringify(document).replaceAll('],[', '],\n  [').replaceAll(',"', ',\n "')}\n`);
}
