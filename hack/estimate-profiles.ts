/**
 * Writes profiles/llama-3.1-8b/*.json: throughput within TTFT 2 s and TPOT 100 ms by a roofline model of an engine with
 * continuous batching, its two efficiencies set so that it agrees with the measured H100 points in the comparison that
 * this script prints. An estimate to start from; measure your own with the model that you serve.
 *
 *   node hack/estimate-profiles.ts           write the files, print the comparison
 *   node hack/estimate-profiles.ts --check   fail where a file differs
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Llama 3.1 8B in 16 bits: weights (bytes), key-value cache per token (bytes), layers x width for attention. */
const model = { weightBytes: 16.06e9, parameters: 8.03e9, cacheBytesPerToken: 131_072, layersTimesWidth: 32 * 4096 };

/** Data sheets: dense 16-bit FLOP/s, memory bandwidth (B/s) and size (B). */
const gpus = {
  L4: { flops: 121e12, bandwidth: 300e9, memory: 24e9, cost: 0.805 },
  L40S: { flops: 362e12, bandwidth: 864e9, memory: 48e9, cost: 1.861 },
  'A100-80': { flops: 312e12, bandwidth: 2039e9, memory: 80e9, cost: 3.431 },
  H100: { flops: 989e12, bandwidth: 3350e9, memory: 80e9, cost: 6.88 },
} as const;
type Gpu = (typeof gpus)[keyof typeof gpus];

/** Shares of the data sheet that an engine reaches. */
const efficiency = { flops: 0.75, bandwidth: 0.8 };
const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
const inputTicks = [64, 256, 512, 1024, 2048, 4096, 8192, 16384];
const outputTicks = [16, 32, 64, 128, 256, 512, 1024, 2048];

/** Of one request: seconds of prefill, seconds that it adds to each iteration while it decodes. */
const prefillSeconds = (gpu: Gpu, input: number) =>
  (2 * model.parameters * input + 2 * model.layersTimesWidth * input * input) / (gpu.flops * efficiency.flops);
const decodeSeconds = (gpu: Gpu, input: number, output: number) =>
  ((input + output / 2) * model.cacheBytesPerToken) / (gpu.bandwidth * efficiency.bandwidth);
const weightsSeconds = (gpu: Gpu) => model.weightBytes / (gpu.bandwidth * efficiency.bandwidth);

/**
 * At λ requests per second a share u = λ prefill of the time goes into prefill, and of the n = λ output TPOT requests
 * that decode each adds to the iteration: TPOT (1 - u) = weights + n decode.
 */
const at = (gpu: Gpu, input: number, output: number, rate: number) => {
  const busy = rate * prefillSeconds(gpu, input);
  const free = 1 - busy - rate * output * decodeSeconds(gpu, input, output);
  const tpot = free > 0 ? weightsSeconds(gpu) / free : Number.POSITIVE_INFINITY;
  const concurrency = rate * output * tpot;
  const ttft = prefillSeconds(gpu, input) / Math.max(1e-9, 1 - busy) + tpot;
  const cached = concurrency * (input + output) * model.cacheBytesPerToken;
  return {
    tpot,
    ttft,
    concurrency,
    e2e: ttft + (output - 1) * tpot,
    fits: cached <= 0.9 * gpu.memory - model.weightBytes,
  };
};

/** The largest rate within the SLO, by bisection; limits are met on average with a quarter to spare for the percentile. */
const throughput = (
  gpu: Gpu,
  input: number,
  output: number,
  limits = { ttft: slo.ttft * 0.75, tpot: slo.tpot * 0.75 },
): number => {
  const within = (rate: number) => {
    const { tpot, ttft, fits } = at(gpu, input, output, rate);
    return tpot <= limits.tpot && ttft <= limits.ttft && fits;
  };
  let [low, high] = [0, 1e4];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (within(middle)) low = middle;
    else high = middle;
  }
  return low < 1e-6 ? 0 : low;
};

const round = (value: number) => Number(value.toPrecision(4));

const documentOf = (name: string, gpu: Gpu) => ({
  gpuType: name,
  gpusPerReplica: 1,
  cost: gpu.cost,
  indexes: [outputTicks, inputTicks],
  tputs: outputTicks.map((output) => inputTicks.map((input) => round(throughput(gpu, input, output)))),
  e2e: outputTicks.map((output) =>
    inputTicks.map((input) => round(at(gpu, input, output, throughput(gpu, input, output)).e2e)),
  ),
  slos: slo,
  created: 1764028800,
  how: 'estimated by hack/estimate-profiles.ts (roofline of an engine with continuous batching), not measured',
  price: 'on demand, 2026-09 to 2026-11: AWS g6, g6e, p4de, p5 per GPU',
});

/** Measured: Llama-3.1-8B on H100 SXM, TensorRT-LLM (ai-dynamo/aiconfigurator, silicon_sample.csv, Apache-2.0). */
const measured = [
  { input: 1024, output: 128, concurrency: 64, ttft: 0.17694, tpot: 0.020052 },
  { input: 1024, output: 256, concurrency: 128, ttft: 0.46934, tpot: 0.023088 },
  { input: 1024, output: 512, concurrency: 128, ttft: 0.36432, tpot: 0.019258 },
  { input: 2048, output: 128, concurrency: 64, ttft: 0.32747, tpot: 0.033622 },
  { input: 2048, output: 256, concurrency: 64, ttft: 0.30077, tpot: 0.023571 },
  { input: 2048, output: 512, concurrency: 128, ttft: 0.57673, tpot: 0.031144 },
  { input: 4096, output: 128, concurrency: 32, ttft: 0.4758, tpot: 0.034234 },
  { input: 4096, output: 256, concurrency: 32, ttft: 0.52096, tpot: 0.023223 },
  { input: 4096, output: 512, concurrency: 64, ttft: 0.70572, tpot: 0.030089 },
];

const folder = join(import.meta.dirname, '../profiles/llama-3.1-8b');
const differing = Object.entries(gpus).filter(([name, gpu]) => {
  const text = `${JSON.stringify(documentOf(name, gpu)).replaceAll('],[', '],\n  [').replaceAll(',"', ',\n "')}\n`;
  const file = join(folder, `${name.toLowerCase()}.json`);
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  return readFileSync(file, 'utf8') !== text;
});
for (const [name] of differing)
  console.error(`profiles/llama-3.1-8b/${name.toLowerCase()}.json differs: run npm run update`);
if (!process.argv.includes('--check')) {
  console.log('H100, req/s at the TPOT that was measured   measured  estimated');
  for (const point of measured) {
    const rate = point.concurrency / (point.ttft + (point.output - 1) * point.tpot);
    const estimate = throughput(gpus.H100, point.input, point.output, { ttft: 10, tpot: point.tpot });
    console.log(
      `${String(point.input).padStart(6)} in ${String(point.output).padStart(4)} out${' '.repeat(24)}${rate.toFixed(1).padStart(8)} ${estimate.toFixed(1).padStart(10)}`,
    );
  }
}
process.exitCode = differing.length > 0 ? 1 : 0;
