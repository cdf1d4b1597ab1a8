import type { Slo } from '../../src/profiles/profile-document.ts';
import type { Sample } from './calibrate.ts';
import { pointsOf } from './measured.ts';
import { type Bits, type GpuName, gpus, type LlmName, llms, type Setup } from './parts.ts';

/** What stands behind a shipped profile. */
export type Origin =
  /** Points of hack/profiles/measured.csv of this kind of replica. */
  | { readonly kind: 'measured'; readonly group: string; readonly engine: string; readonly date: string }
  /** Results of AIBrix's simulator in test/fixtures/benchmarks. */
  | { readonly kind: 'simulated'; readonly results: string }
  | { readonly kind: 'derived' };

/** One profile that comes with gpumix. */
export interface Replica {
  readonly llm: LlmName;
  readonly gpu: GpuName;
  readonly gpusPerReplica: number;
  readonly bits: Bits;
  readonly origin: Origin;
}

export const setupOf = ({ gpu, gpusPerReplica, llm, bits }: Replica): Setup => ({
  gpu: gpus[gpu],
  gpusPerReplica,
  llm: llms[llm],
  bits,
});

/** Limits that the profiles of a model share. AIBrix's simulator knows no first token, so there the whole request is limited. */
export const slos: Readonly<Record<LlmName, Slo>> = {
  'llama-3.1-8b': { percentile: 99, ttft: 2, tpot: 0.1 },
  'llama-3.1-70b': { percentile: 99, ttft: 2, tpot: 0.1 },
  'llama-2-7b': { percentile: 99, e2e: 5 },
};

const derived = (llm: LlmName, gpu: GpuName, gpusPerReplica = 1, bits: Bits = 16): Replica => ({
  llm,
  gpu,
  gpusPerReplica,
  bits,
  origin: { kind: 'derived' },
});
const measured = (
  llm: LlmName,
  gpu: GpuName,
  gpusPerReplica: number,
  bits: Bits,
  [group, engine, date]: readonly [string, string, string],
): Replica => ({ llm, gpu, gpusPerReplica, bits, origin: { kind: 'measured', group, engine, date } });
const simulated = (gpu: GpuName, results: string): Replica => ({
  llm: 'llama-2-7b',
  gpu,
  gpusPerReplica: 1,
  bits: 16,
  origin: { kind: 'simulated', results },
});

/** Weights of 16 bits do not fit into one V100 with 16 GB; those of 70B into no single GPU below an H200, at 8 bits. */
export const replicas: readonly Replica[] = [
  measured('llama-3.1-8b', 'H100', 1, 16, ['h100_sxm trtllm 16-bit tp1', 'TensorRT-LLM 1.0.0rc3', 'not stated']),
  measured('llama-3.1-8b', 'H200', 1, 8, ['h200_sxm sglang fp8 tp1', 'SGLang 0.5.6.post2', 'not stated']),
  derived('llama-3.1-8b', 'L4'),
  derived('llama-3.1-8b', 'A10G'),
  derived('llama-3.1-8b', 'L20'),
  derived('llama-3.1-8b', 'L40S'),
  derived('llama-3.1-8b', 'V100', 2),
  derived('llama-3.1-8b', 'A100-40'),
  derived('llama-3.1-8b', 'A100-80'),
  measured('llama-3.1-70b', 'H100', 2, 8, ['h100_sxm vllm fp8 tp2', 'vLLM, version not stated', '2025-10-29']),
  measured('llama-3.1-70b', 'H200', 1, 8, ['h200_sxm trtllm fp8 tp1', 'TensorRT-LLM, version not stated', '2025-10-29']),
  measured('llama-3.1-70b', 'B200', 1, 8, ['b200_sxm trtllm fp8 tp1', 'TensorRT-LLM, version not stated', '2025-10-29']),
  derived('llama-3.1-70b', 'L20', 4, 8),
  derived('llama-3.1-70b', 'L40S', 4, 8),
  derived('llama-3.1-70b', 'A100-80', 4),
  simulated('A100-80', 'simulator-llama2-7b-a100.jsonl'),
  simulated('A40', 'simulator-llama2-7b-a40.jsonl'),
  derived('llama-2-7b', 'L4'),
  derived('llama-2-7b', 'A10G'),
  derived('llama-2-7b', 'L20'),
  derived('llama-2-7b', 'L40S'),
  derived('llama-2-7b', 'V100', 2),
  derived('llama-2-7b', 'H100'),
];

/** Longest mean time to the first token at which nothing waits for memory (s): the roofline knows no queue. */
const noQueue = 3;

/** The measured points of a replica that the roofline speaks of; none where it was not measured. */
export const sampleOf = (replica: Replica): Sample => ({
  setup: setupOf(replica),
  points:
    replica.origin.kind === 'measured' ? pointsOf(replica.llm, replica.origin.group).filter(({ ttft }) => ttft < noQueue) : [],
});

const measuredOnes = replicas.filter(({ origin }) => origin.kind === 'measured');

/**
 * Measured replicas whose efficiencies a derived one is taken to have: of its model, else of the nearest in size and
 * precision.
 */
export const relativesOf = ({ llm, bits }: Replica): readonly Replica[] => {
  const ofModel = measuredOnes.filter((one) => one.llm === llm);
  const alike = ofModel.filter((one) => one.bits === bits);
  return alike.length > 0 ? alike : ofModel.length > 0 ? ofModel : measuredOnes.slice(0, 1);
};

/** All that were measured. */
export const measuredReplicas: readonly Replica[] = measuredOnes;
