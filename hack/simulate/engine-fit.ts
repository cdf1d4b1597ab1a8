import { Matrix, solve } from 'ml-matrix';
import type { EngineSpeed } from '../../src/simulation/engine.ts';

/** One measurement of an engine: so many requests of one size in flight, and how long one of them takes (s). */
export interface MeasuredPoint {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly inFlight: number;
  readonly seconds: number;
}

export type FittedSpeed = Pick<
  EngineSpeed,
  'iterationSeconds' | 'secondsPerCachedToken' | 'secondsPerPromptToken' | 'secondsPerPromptPair'
>;

/**
 * What each part of the work of a request takes, as often as the engine does it while the request is there: one iteration
 * per output token, each with the cache of all k requests in flight, and the prompts of all k of them.
 *   T = O iteration + O k (I + O/2) cached + k I prompt + k I² pair
 */
const workOf = ({ inputTokens, outputTokens, inFlight }: MeasuredPoint): readonly number[] => [
  outputTokens,
  outputTokens * inFlight * (inputTokens + outputTokens / 2),
  inFlight * inputTokens,
  inFlight * inputTokens ** 2,
];

/** The speeds whose times differ least from the measured ones, relative to them; none is negative. */
export const fittedSpeed = (points: readonly MeasuredPoint[]): FittedSpeed => {
  const rows = points.map((point) => workOf(point).map((work) => work / point.seconds));
  const subsets = Array.from({ length: 15 }, (_, index) => [0, 1, 2, 3].filter((part) => ((index + 1) >> part) & 1));
  const fits = subsets.flatMap((parts) => {
    const found = solve(
      new Matrix(rows.map((row) => parts.map((part) => row[part]!))),
      Matrix.columnVector(points.map(() => 1)),
      true,
    ).to1DArray();
    const speeds = [0, 1, 2, 3].map((part) => (parts.includes(part) ? found[parts.indexOf(part)]! : 0));
    if (speeds.some((speed) => !(speed >= 0)) || speeds[0] === 0) return [];
    const error = rows.reduce((sum, row) => sum + (dot(row, speeds) - 1) ** 2, 0);
    return [{ speeds, error }];
  });
  const [iterationSeconds, secondsPerCachedToken, secondsPerPromptToken, secondsPerPromptPair] = fits.reduce((best, fit) =>
    fit.error < best.error ? fit : best,
  ).speeds as [number, number, number, number];
  return { iterationSeconds, secondsPerCachedToken, secondsPerPromptToken, secondsPerPromptPair };
};

/** Median of the relative differences between fitted and measured times. */
export const medianError = (points: readonly MeasuredPoint[], speed: FittedSpeed): number => {
  const speeds = [speed.iterationSeconds, speed.secondsPerCachedToken, speed.secondsPerPromptToken, speed.secondsPerPromptPair];
  const errors = points.map((point) => Math.abs(dot(workOf(point), speeds) / point.seconds - 1)).sort((a, b) => a - b);
  return errors[Math.floor(errors.length / 2)] ?? Number.NaN;
};

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, index) => sum + value * b[index]!, 0);
