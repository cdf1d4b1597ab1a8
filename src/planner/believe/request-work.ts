import { beyondSloThroughputs } from '../../profiles/throughput.ts';
import type { Shape } from './arrival-rates.ts';
import type { Candidate } from './candidates.ts';

/**
 * What a request takes of a replica of each candidate in the mean (replica-seconds), by its own profile: a long prompt is less to a GPU
 * that is strong in prompts.
 */
export const requestWorks = (shape: Shape, candidates: readonly Candidate[]): readonly number[] =>
  candidates.map(({ profile }) => workOf(shape, beyondSloThroughputs(profile, shape)));

const workOf = (shape: Shape, throughputs: readonly number[]): number =>
  shape.reduce((sum, { share }, index) => sum + share / throughputs[index]!, 0);

/** The mean over the candidates; 0 where none has a weight. */
export const meanWork = (works: readonly number[], weights: readonly number[]): number => {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return all === 0
    ? 0
    : works.reduce((sum, work, index) => (weights[index]! > 0 ? sum + (weights[index]! / all) * work : sum), 0);
};
