/** GPUs and models by their data sheets: what the roofline knows of them. */

export interface Gpu {
  /** Dense 16-bit FLOP/s; 8-bit ones are twice as many where there are any. */
  readonly flops: number;
  readonly eightBit: boolean;
  /** Memory bandwidth (B/s) and size (B). */
  readonly bandwidth: number;
  readonly memory: number;
}

export const gpus = {
  L4: { flops: 121e12, eightBit: true, bandwidth: 300e9, memory: 24e9 },
  A10G: { flops: 70e12, eightBit: false, bandwidth: 600e9, memory: 24e9 },
  L20: { flops: 119.5e12, eightBit: true, bandwidth: 864e9, memory: 48e9 },
  L40S: { flops: 362e12, eightBit: true, bandwidth: 864e9, memory: 48e9 },
  // The one with 16 GB, as Lambda lets it.
  V100: { flops: 125e12, eightBit: false, bandwidth: 900e9, memory: 16e9 },
  A40: { flops: 149.7e12, eightBit: false, bandwidth: 696e9, memory: 48e9 },
  'A100-40': { flops: 312e12, eightBit: false, bandwidth: 1555e9, memory: 40e9 },
  'A100-80': { flops: 312e12, eightBit: false, bandwidth: 2039e9, memory: 80e9 },
  H100: { flops: 989e12, eightBit: true, bandwidth: 3350e9, memory: 80e9 },
  H200: { flops: 989e12, eightBit: true, bandwidth: 4800e9, memory: 141e9 },
  B200: { flops: 2250e12, eightBit: true, bandwidth: 8000e9, memory: 180e9 },
} as const satisfies Record<string, Gpu>;
export type GpuName = keyof typeof gpus;

export interface Llm {
  readonly parameters: number;
  /** Key-value cache of a token at 16 bits (B). */
  readonly cacheBytesPerToken: number;
  /** Layers x width: what attention costs by the pair of tokens. */
  readonly layersTimesWidth: number;
}

export const llms = {
  'llama-3.1-8b': { parameters: 8.03e9, cacheBytesPerToken: 131_072, layersTimesWidth: 32 * 4096 },
  'llama-3.1-70b': { parameters: 70.55e9, cacheBytesPerToken: 327_680, layersTimesWidth: 80 * 8192 },
  'llama-2-7b': { parameters: 6.74e9, cacheBytesPerToken: 524_288, layersTimesWidth: 32 * 4096 },
} as const satisfies Record<string, Llm>;
export type LlmName = keyof typeof llms;

/** Bits of the weights; the cache has 16. */
export type Bits = 16 | 8;

/** A model on the GPUs of one replica, as the roofline sees them: as one GPU of their sums. */
export interface Setup {
  readonly gpu: Gpu;
  readonly gpusPerReplica: number;
  readonly llm: Llm;
  readonly bits: Bits;
}
