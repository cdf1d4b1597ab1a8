import type { Measurement } from './results.ts';

/** Below so many samples a percentile is a single request's luck. */
const fewestSamples = 30;
/** Throughput beyond this times the rate that was sent, or at more tokens beyond this times that at fewer, is no chance. */
const implausible = 1.2;

/**
 * What in a benchmark's results cannot be right, one line each: too few samples; more served than was sent; a larger
 * request served at a higher rate than a smaller one; a first token later than the last.
 */
export const strictProblems = (results: readonly Measurement[]): readonly string[] => [
  ...results.flatMap((row) => alone(row)),
  ...largerServedFaster(results),
  ...firstAfterLast(results),
];

const alone = ({ line, metric, samples, rate, values }: Measurement): readonly string[] => {
  if (metric !== 'TPUT') return [];
  const mean = values.mean ?? Number.NaN;
  return [
    ...(samples !== null && samples < fewestSamples
      ? [`line ${line}: ${samples} samples are too few; at least ${fewestSamples}`]
      : []),
    ...(mean > rate * implausible ? [`line ${line}: ${mean} req/s were served of ${rate} that were sent`] : []),
  ];
};

/** The most that was served of each size, at any rate. */
const most = (results: readonly Measurement[]): readonly Measurement[] => {
  const best = new Map<string, Measurement>();
  for (const row of results) {
    if (row.metric !== 'TPUT') continue;
    const key = `${row.inputTokens} ${row.outputTokens}`;
    const known = best.get(key);
    if (known === undefined || (row.values.mean ?? 0) > (known.values.mean ?? 0)) best.set(key, row);
  }
  return [...best.values()];
};

const largerServedFaster = (results: readonly Measurement[]): readonly string[] => {
  const all = most(results);
  return all.flatMap((large) => {
    const small = all.find(
      (other) =>
        other !== large &&
        other.inputTokens <= large.inputTokens &&
        other.outputTokens <= large.outputTokens &&
        other.rate >= large.rate &&
        (large.values.mean ?? 0) > implausible * (other.values.mean ?? 0),
    );
    return small === undefined
      ? []
      : [
          `line ${large.line}: ${sizeOf(large)} is served at ${large.values.mean} req/s, the smaller ${sizeOf(small)} only at ${small.values.mean} (line ${small.line})`,
        ];
  });
};

const firstAfterLast = (results: readonly Measurement[]): readonly string[] => {
  const ends = new Map(results.filter(({ metric }) => metric === 'E2E').map((row) => [pointOf(row), row]));
  return results
    .filter(({ metric }) => metric === 'TTFT')
    .flatMap((row) => {
      const end = ends.get(pointOf(row));
      return end !== undefined && (row.values.mean ?? 0) > (end.values.mean ?? Number.POSITIVE_INFINITY)
        ? [
            `line ${row.line}: the first token comes after ${row.values.mean} s, the last after ${end.values.mean} (line ${end.line})`,
          ]
        : [];
    });
};

const sizeOf = ({ inputTokens, outputTokens }: Measurement): string => `${inputTokens} in, ${outputTokens} out`;
const pointOf = ({ inputTokens, outputTokens, rate }: Measurement): string => `${inputTokens} ${outputTokens} ${rate}`;
