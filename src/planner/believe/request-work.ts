import { beyondSloThroughput } from '../../profiles/throughput.ts';
import type { Shape } from './arrival-rates.ts';
import type { Candidate } from './candidates.ts';

/**
 * What a request takes of a replica in the mean (replica-seconds), by each variant's own profile: a long prompt is less to a GPU that is
 * strong in prompts. 0 where no variant has a weight.
 */
export const meanWork = (shape: Shape, candidates: readonly Candidate[], weightOf: (candidate: Candidate) => number): number => {
  const weights = candidates.reduce((sum, candidate) => sum + weightOf(candidate), 0);
  const work = ({ profile }: Candidate): number =>
    shape.reduce(
      (sum, { inputTokens, outputTokens, share }) => sum + share / beyondSloThroughput(profile, inputTokens, outputTokens),
      0,
    );
  return candidates.reduce((sum, candidate) => {
    const weight = weightOf(candidate);
    return weight > 0 ? sum + (weight / weights) * work(candidate) : sum;
  }, 0);
};

/** As the Ready replicas have it. */
export const byReady = ({ ready }: Candidate): number => ready;
/** Whatever is Ready: a measure that stays the same. */
export const equally = (): number => 1;
