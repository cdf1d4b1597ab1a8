import type { Slo } from '../../src/profiles/profile-document.ts';
import type { Setup } from './parts.ts';

/** Shares of the data sheet that an engine reaches, and what an iteration takes besides (s). */
export interface Efficiency {
  readonly flops: number;
  readonly bandwidth: number;
  readonly overhead: number;
}

/** What engines leave of the memory to weights and cache. */
const usableMemory = 0.9;

export interface Load {
  readonly tpot: number;
  readonly ttft: number;
  readonly e2e: number;
  /** Requests in flight. */
  readonly concurrency: number;
  readonly fits: boolean;
}

/**
 * The state of an engine with continuous batching at λ requests per second of one size: a share u = λ prefill of the time
 * goes into prompts, and each of the n = λ output TPOT requests that decode adds the reading of its cache to an iteration,
 * so TPOT (1 - u) = overhead + weights + n decode.
 *
 *   prefill = (2 parameters input + 2 layers width input²) / FLOP/s
 *   decode  = (input + output / 2) cache bytes per token / bandwidth
 *   weights = weight bytes / bandwidth
 */
export const loadAt = (setup: Setup, efficiency: Efficiency, input: number, output: number, rate: number): Load => {
  const { gpu, gpusPerReplica: count, llm, bits } = setup;
  const flops = gpu.flops * count * efficiency.flops * (bits === 8 && gpu.eightBit ? 2 : 1);
  const bandwidth = gpu.bandwidth * count * efficiency.bandwidth;
  const weightBytes = (llm.parameters * bits) / 8;
  const prefill = (2 * llm.parameters * input + 2 * llm.layersTimesWidth * input * input) / flops;
  const decode = ((input + output / 2) * llm.cacheBytesPerToken) / bandwidth;
  const busy = rate * prefill;
  const free = 1 - busy - rate * output * decode;
  const tpot = free > 0 ? (efficiency.overhead + weightBytes / bandwidth) / free : Number.POSITIVE_INFINITY;
  const ttft = prefill / Math.max(1e-9, 1 - busy) + tpot;
  const e2e = ttft + (output - 1) * tpot;
  const decoding = rate * output * tpot;
  const cached = decoding * (input + output) * llm.cacheBytesPerToken;
  const fits = cached <= usableMemory * gpu.memory * count - weightBytes;
  return { tpot, ttft, e2e, concurrency: rate * e2e, fits };
};

/** The largest rate (req/s) at which something holds that holds of no larger one; 0 = of none. */
export const largestRate = (holds: (rate: number) => boolean): number => {
  let [low, high] = [0, 1e4];
  for (let step = 0; step < 45; step += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low < 1e-6 ? 0 : low;
};

/** The largest rate within limits that hold on average (req/s). */
export const rooflineThroughput = (
  setup: Setup,
  efficiency: Efficiency,
  input: number,
  output: number,
  { ttft = Number.POSITIVE_INFINITY, tpot = Number.POSITIVE_INFINITY, e2e = Number.POSITIVE_INFINITY }: Partial<Slo>,
): number =>
  largestRate((rate) => {
    const load = loadAt(setup, efficiency, input, output, rate);
    return load.fits && load.tpot <= tpot && load.ttft <= ttft && load.e2e <= e2e;
  });

/** The rate that keeps so many requests in flight (req/s). */
export const rateOfConcurrency = (
  setup: Setup,
  efficiency: Efficiency,
  input: number,
  output: number,
  concurrency: number,
): number => largestRate((rate) => loadAt(setup, efficiency, input, output, rate).concurrency <= concurrency);
