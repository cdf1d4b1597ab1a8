import { element } from '../vocabulary/list-element.ts';
import type { DemandRow } from '../vocabulary/planning-documents.ts';
import type { Profile } from './profile-document.ts';
import { timeAt } from './throughput.ts';

/**
 * An engine with continuous batching makes one token for every request in each iteration. An iteration takes
 *   τ = w / (1 - Σ_c λ_c K_c),
 * w being what it takes by itself (all weights are read once) and K_c the work of a request of size c: its prompt and its
 * share of each iteration. Work adds, whatever the mixture. A size alone at its limit has 1 - w / τ_c = μ_c K_c, so in
 * iterations that may take no longer than τ
 *   μ_c(τ) = μ_c (1 - w / τ) / (1 - w / τ_c).
 */
export interface Iterations {
  /** τ_c (s) at the profile's throughput, input x output; NaN where unknown. */
  readonly seconds: readonly number[];
  /** w (s). */
  readonly alone: number;
}

/** Fewer sizes do not tell. */
const leastSizes = 6;
const known = new WeakMap<Profile, Iterations | null>();

/** What the sizes of a profile tell of the engine's iterations; null where they are too few. */
export const iterationsOf = (profile: Profile): Iterations | null => {
  const found = known.get(profile);
  if (found !== undefined) return found;
  const iterations = learned(profile);
  known.set(profile, iterations);
  return iterations;
};

const learned = (profile: Profile): Iterations | null => {
  const { inputTokens, outputTokens, throughput, e2eSeconds, ttftSeconds } = profile;
  if (e2eSeconds === null) return null;
  const sizes = inputTokens.flatMap((input) => outputTokens.map((output) => ({ input, output })));
  // Without the time to the first token all the time counts, which makes iterations longer and a mixture dearer.
  const seconds = sizes.map(({ output }, index) => {
    const first = ttftSeconds?.[index] ?? 0;
    return first > 0 ? (element(e2eSeconds, index) - first) / Math.max(1, output - 1) : element(e2eSeconds, index) / output;
  });
  const served = [...sizes.keys()].filter((index) => element(throughput, index) > 0 && element(seconds, index) > 0);
  if (served.length < leastSizes) return null;
  // μ (p I + q I² + d O (I + O / 2)) + w / τ = 1
  const rows = served.map((index) => {
    const { input, output } = element(sizes, index);
    const rate = element(throughput, index);
    return [rate * input, rate * input * input, rate * output * (input + output / 2), 1 / element(seconds, index)];
  });
  const least = Math.min(...served.map((index) => element(seconds, index)));
  return { seconds, alone: Math.min(element(leastSquares(rows), 3), 0.9 * least) };
};

/** Numbers from 0 whose sum over each row comes nearest to 1, one coordinate after the other. */
const leastSquares = (rows: readonly (readonly number[])[]): readonly number[] => {
  const width = element(rows, 0).length;
  const scale = Array.from({ length: width }, (_, k) => Math.sqrt(rows.reduce((sum, row) => sum + element(row, k) ** 2, 0)));
  const unit = rows.map((row) => row.map((value, k) => value / element(scale, k)));
  const left = rows.map(() => 1);
  const found = scale.map(() => 0);
  for (let sweep = 0; sweep < 500; sweep += 1)
    for (const k of found.keys()) {
      const gradient = unit.reduce((sum, row, index) => sum + element(row, k) * element(left, index), 0);
      const next = Math.max(0, element(found, k) + gradient);
      const change = next - element(found, k);
      for (const [index, row] of unit.entries()) left[index] = element(left, index) - element(row, k) * change;
      found[k] = next;
    }
  return found.map((value, k) => value / element(scale, k));
};

/**
 * Throughput where the iterations of all sizes are as short as the tightest one needs them.
 * @param mayMiss share of the requests whose limit need not hold: the tightest sizes up to that share do not count
 */
export const atTightestIteration = (
  profile: Profile,
  { seconds, alone }: Iterations,
  demand: readonly DemandRow[],
  throughput: readonly number[],
  mayMiss: number,
): number[] => {
  const iterationSeconds = demand.map(({ inputTokens, outputTokens }) => timeAt(profile, seconds, inputTokens, outputTokens));
  const counted = demand
    .flatMap(({ arrivalRate }, row) =>
      arrivalRate > 0 && element(throughput, row) > 0 && element(iterationSeconds, row) > 0 ? [row] : [],
    )
    .sort((a, b) => element(iterationSeconds, a) - element(iterationSeconds, b));
  const total = counted.reduce((sum, row) => sum + element(demand, row).arrivalRate, 0);
  let missed = 0;
  const tightest = counted.find((row) => {
    missed += element(demand, row).arrivalRate;
    return missed > mayMiss * total * (1 + 1e-12);
  });
  if (tightest === undefined) return [...throughput];
  const free = (tau: number): number => Math.max(1e-6, 1 - alone / tau);
  return throughput.map((rate, row) =>
    rate > 0 && element(iterationSeconds, row) > element(iterationSeconds, tightest)
      ? (rate * free(element(iterationSeconds, tightest))) / free(element(iterationSeconds, row))
      : rate,
  );
};
