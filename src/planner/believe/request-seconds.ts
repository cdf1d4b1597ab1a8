import { e2eSecondsAt } from '../../profiles/throughput.ts';
import { type Interval, recordOf } from '../../workload/workload.ts';
import type { Candidate } from './candidates.ts';
import type { Shape } from './rates-and-shapes.ts';

/**
 * Seconds that a request takes in the mean on the slowest variant that is Ready (of all, where none is); null
 * where no profile tells times.
 */
export const meanSeconds = (shape: Shape, candidates: readonly Candidate[]): number | null => {
  const ready = candidates.filter((candidate) => candidate.ready > 0);
  return slowest(
    (ready.length > 0 ? ready : candidates).map(({ profile }) =>
      shape.reduce(
        (sum, { inputTokens, outputTokens, share }) => sum + share * e2eSecondsAt(profile, inputTokens, outputTokens),
        0,
      ),
    ),
  );
};

/** Seconds that the longest of the requests that ended takes on the slowest variant; null where no profile tells times. */
export const longestSeconds = (intervals: readonly Interval[], candidates: readonly Candidate[]): number | null => {
  const sizes = intervals.flatMap((interval) => recordOf(interval)?.completions ?? []);
  return slowest(
    candidates.flatMap(({ profile }) =>
      sizes.map(({ inputTokens, outputTokens }) => e2eSecondsAt(profile, inputTokens, outputTokens)),
    ),
  );
};

const slowest = (seconds: readonly number[]): number | null => {
  const positive = seconds.filter((duration) => duration > 0);
  return positive.length === 0 ? null : positive.reduce((a, b) => Math.max(a, b));
};
