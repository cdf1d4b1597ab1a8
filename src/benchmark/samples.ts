import type { BenchmarkMetric, Measurement, Statistic } from './results.ts';
import type { Size } from './sizes.ts';

/** A request that a probe counts; times in seconds, by one clock. */
export type Sample =
  | { readonly kind: 'served'; readonly sentAt: number; readonly firstTokenAt: number; readonly doneAt: number }
  /** Was late already when the probe was given up: what is known of it so far. */
  | { readonly kind: 'late'; readonly ttftSeconds: number; readonly e2eSeconds: number }
  /** Got no whole answer. */
  | { readonly kind: 'failed' };

type Served = Extract<Sample, { kind: 'served' }>;

/** More than this share without an answer, and no mean stands for the rest. */
const mostFailed = 0.01;

/**
 * The five measurements of one probe, as AIBrix's benchmark names them. A request that failed has taken for ever: beyond
 * the percentile's share they make its column infinite, which is within no limit. Throughput is that of the completions
 * among themselves, so that neither the filling of the batch nor its emptying counts. They are of no file: their line is 0.
 * @param givenUp the rate was given up before its end: it has no throughput (NaN), which is within no limits, and its times
 * are no more than those of requests that were late
 */
export const measurementsOf = (
  samples: readonly Sample[],
  { inputTokens, outputTokens }: Size,
  rate: number,
  givenUp = false,
): readonly Measurement[] => {
  const served = samples.filter((sample) => sample.kind === 'served');
  const throughput = givenUp ? Number.NaN : completionRate(served.map(({ doneAt }) => doneAt));
  const about = { line: 0, inputTokens, outputTokens, rate, samples: samples.length };
  const times = (metric: BenchmarkMetric, of: (sample: Exclude<Sample, { kind: 'failed' }>) => number) => ({
    ...about,
    metric,
    values: spread(samples.map((sample) => (sample.kind === 'failed' ? Number.POSITIVE_INFINITY : of(sample)))),
  });
  const single = (metric: BenchmarkMetric, mean: number) => ({
    ...about,
    metric,
    values: { mean, P50: null, P90: null, P99: null },
  });
  return [
    single('TPUT', throughput),
    single('TT', throughput * outputTokens),
    times('E2E', (sample) => (sample.kind === 'late' ? sample.e2eSeconds : sample.doneAt - sample.sentAt)),
    times('TTFT', (sample) => (sample.kind === 'late' ? sample.ttftSeconds : sample.firstTokenAt - sample.sentAt)),
    times('TPOT', (sample) => (sample.kind === 'late' ? Number.NaN : tpotOf(sample, outputTokens))),
  ];
};

const tpotOf = ({ firstTokenAt, doneAt }: Served, outputTokens: number): number =>
  (doneAt - firstTokenAt) / Math.max(1, outputTokens - 1);

/** Completions per second from the first to the last; 0 where there are not two. */
const completionRate = (ends: readonly number[]): number => {
  const span = Math.max(...ends) - Math.min(...ends);
  return ends.length < 2 || span <= 0 ? 0 : (ends.length - 1) / span;
};

/** NaN samples tell nothing. The mean is of what is finite, unless too much is not. */
const spread = (values: readonly number[]): Readonly<Record<Statistic, number | null>> => {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const finite = sorted.filter(Number.isFinite);
  const failed = sorted.length - finite.length;
  const sum = finite.reduce((total, value) => total + value, 0);
  return {
    mean: failed > mostFailed * sorted.length ? Number.POSITIVE_INFINITY : sum / finite.length,
    P50: percentile(sorted, 0.5),
    P90: percentile(sorted, 0.9),
    P99: percentile(sorted, 0.99),
  };
};

/**
 * Linear between order statistics, as numpy does it; NaN of nothing.
 * @example percentile([1, 2, 3, 4], 0.5) // => 2.5
 */
export const percentile = (sorted: readonly number[], share: number): number => {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] ?? Number.NaN, sorted[Math.ceil(place)] ?? Number.NaN];
  const part = place - Math.floor(place);
  return part === 0 || low === high ? low : low + part * (high - low);
};
