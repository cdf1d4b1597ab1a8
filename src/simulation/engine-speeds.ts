import type { EngineSpeed } from './engine.ts';

/** A GPU by its data sheet: dense 16-bit FLOP/s, memory bandwidth (B/s) and size (B). */
export interface GpuDataSheet {
  readonly flops: number;
  readonly bandwidth: number;
  readonly memory: number;
}

const parts: Readonly<Record<string, GpuDataSheet>> = {
  L4: { flops: 121e12, bandwidth: 300e9, memory: 24e9 },
  L40S: { flops: 362e12, bandwidth: 864e9, memory: 48e9 },
  'A100-80': { flops: 312e12, bandwidth: 2039e9, memory: 80e9 },
  H100: { flops: 989e12, bandwidth: 3350e9, memory: 80e9 },
  // Made up: one is strong where prompts are read, the other where tokens are made.
  PROMPT: { flops: 1500e12, bandwidth: 600e9, memory: 40e9 },
  DECODE: { flops: 250e12, bandwidth: 3350e9, memory: 96e9 },
};

/** Llama 3.1 8B in 16 bits: bytes of the weights, parameters, bytes of cache per token, layers x width for attention. */
const model = { weightBytes: 16.06e9, parameters: 8.03e9, cacheBytesPerToken: 131_072, layersTimesWidth: 32 * 4096 };

/** Shares of the data sheet that an engine reaches, and of the memory that it takes. */
const efficiency = { flops: 0.75, bandwidth: 0.8, memory: 0.9 };

/** An engine with Llama 3.1 8B on one of these GPUs, by the roofline. @throws where the GPU is not known */
export const engineSpeed = (gpu: string): EngineSpeed => {
  const part = parts[gpu];
  if (part === undefined) throw new Error(`no data sheet of ${gpu}`);
  return engineOf(part);
};

/** The same of any part. */
export const engineOf = (part: GpuDataSheet): EngineSpeed => {
  const [flops, bandwidth] = [part.flops * efficiency.flops, part.bandwidth * efficiency.bandwidth];
  return {
    iterationSeconds: model.weightBytes / bandwidth,
    secondsPerCachedToken: model.cacheBytesPerToken / bandwidth,
    secondsPerPromptToken: (2 * model.parameters) / flops,
    secondsPerPromptPair: (2 * model.layersTimesWidth) / flops,
    promptTokensPerIteration: 512,
    cacheTokens: Math.floor((efficiency.memory * part.memory - model.weightBytes) / model.cacheBytesPerToken),
    maxRunning: 256,
  };
};

/** The same engine, everything so many times slower. */
export const slowed = (speed: EngineSpeed, factor: number): EngineSpeed => ({
  ...speed,
  iterationSeconds: speed.iterationSeconds * factor,
  secondsPerCachedToken: speed.secondsPerCachedToken * factor,
  secondsPerPromptToken: speed.secondsPerPromptToken * factor,
  secondsPerPromptPair: speed.secondsPerPromptPair * factor,
});
