import { beyondSloThroughputs } from '../../profiles/throughput.ts';
import type { Candidate } from './candidates.ts';
import type { Shape } from './rates-and-shapes.ts';

export interface RequestWorks {
  /** What a request takes of a replica of each candidate in the mean (replica-seconds). */
  readonly means: readonly number[];
  /** Mean square over the square of the mean, by the first candidate; 1 = all requests are alike. */
  readonly spread: number;
}

/** By each candidate's own profile: a long prompt is less to a GPU that is strong in prompts. */
export const requestWorks = (shape: Shape, candidates: readonly Candidate[]): RequestWorks => {
  const moments = candidates.map(({ profile }) => {
    const throughputs = beyondSloThroughputs(profile, shape);
    let [mean, square] = [0, 0];
    for (let index = 0; index < shape.length; index += 1) {
      const { share } = shape[index]!;
      const work = 1 / throughputs[index]!;
      mean += share * work;
      square += share * work * work;
    }
    return { mean, square };
  });
  const [first] = moments;
  const spread = first === undefined ? 1 : first.square / first.mean ** 2;
  return { means: moments.map(({ mean }) => mean), spread: spread >= 1 && spread < Number.POSITIVE_INFINITY ? spread : 1 };
};

/**
 * The mean over the candidates; 0 where none has a weight.
 * @example meanWork([2, 4], [1, 3]) // => 3.5
 * @example meanWork([2, 4], [0, 0]) // => 0
 */
export const meanWork = (works: readonly number[], weights: readonly number[]): number => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total === 0
    ? 0
    : works.reduce((sum, work, index) => (weights[index]! > 0 ? sum + (weights[index]! / total) * work : sum), 0);
};

/** Over all candidates alike. */
export const meanOfAll = ({ means }: RequestWorks): number =>
  meanWork(
    means,
    means.map(() => 1),
  );
