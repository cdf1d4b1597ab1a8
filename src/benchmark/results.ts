import { isObject, type JsonObject, pythonJson } from '../formats/json.ts';
import { GpumixError } from '../vocabulary/errors.ts';

/** What a benchmark measures. Rates per second, tokens per second, and times in seconds. */
export type BenchmarkMetric = 'TPUT' | 'TT' | 'E2E' | 'TTFT' | 'TPOT';
const metrics: readonly BenchmarkMetric[] = ['TPUT', 'TT', 'E2E', 'TTFT', 'TPOT'];
export type Statistic = 'mean' | 'P50' | 'P90' | 'P99';
const statistics: readonly Statistic[] = ['mean', 'P50', 'P90', 'P99'];

/** One line of a benchmark's results: one metric of one request size at one rate. */
export interface Measurement {
  /** From 1. */
  readonly line: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Requests sent per second; Infinity = all at once. */
  readonly rate: number;
  readonly samples: number | null;
  readonly metric: BenchmarkMetric;
  /** It was the highest rate that might be sent, so that more may be served; absent = it was not, or nobody said. */
  readonly atLimit?: boolean;
  /** NaN where nothing was sampled; null where the column is not there. */
  readonly values: Readonly<Record<Statistic, number | null>>;
}

/**
 * Reads the JSON lines that `aibrix_benchmark` and `gpumix benchmark` write, Python's bare NaN and Infinity included; empty
 * lines are left out.
 * @throws GpumixError BAD_BENCHMARK, with the number of the line
 */
export const parseResults = (text: string): readonly Measurement[] =>
  text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [measurementOf(line, index + 1)]));

/** The line of a measurement, as AIBrix's tools read it. */
export const resultLine = (
  { inputTokens, outputTokens, rate, samples, metric, values }: Omit<Measurement, 'line'>,
  about: {
    readonly seed: number;
    readonly model: string;
    readonly temperature: number;
    /** Highest rate that might be sent (req/s); a rate that reached it is marked by `rate_limit`. */
    readonly rateLimit: number;
  },
): string => {
  const fields: readonly (readonly [string, string])[] = [
    ['input_tokens', String(inputTokens)],
    ['output_tokens', String(outputTokens)],
    ['request_rate', pythonFloat(rate)],
    ['seed', String(about.seed)],
    ['model', JSON.stringify(about.model)],
    ['temperature', pythonFloat(about.temperature)],
    ['samples', String(samples)],
    ['metric', JSON.stringify(metric)],
    ...(rate >= about.rateLimit ? [['rate_limit', pythonFloat(about.rateLimit)] as const] : []),
    ...statistics.flatMap((statistic) => {
      const value = values[statistic];
      return value === null ? [] : [[statistic, pythonFloat(value)] as const];
    }),
  ];
  return `{${fields.map(([name, value]) => `"${name}": ${value}`).join(', ')}}`;
};

/**
 * A float as Python's JSON writes it.
 * @example pythonFloat(1) // => '1.0'
 * @example pythonFloat(0.0000175) // => '1.75e-05'
 */
export const pythonFloat = (value: number): string => {
  if (!Number.isFinite(value) || value === 0) return value === 0 ? '0.0' : String(value);
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${exponent.slice(1).padStart(2, '0')}`;
};

const measurementOf = (text: string, line: number): Measurement => {
  const fail = (what: string): never => {
    throw new GpumixError('BAD_BENCHMARK', `line ${line}: ${what}`);
  };
  const fields = fieldsOf(text) ?? fail('not a JSON object');
  const number = (name: string): number => {
    const value = fields[name];
    return typeof value === 'number' ? value : fail(`${name} is ${shown(value)}, not a number`);
  };
  const tokens = (name: string): number => {
    const count = number(name);
    return Number.isInteger(count) && count > 0 ? count : fail(`${name} is ${count}, not a whole number above 0`);
  };
  const metric = metrics.find((one) => one === fields['metric']);
  if (metric === undefined) return fail(`metric is ${shown(fields['metric'])}, not one of ${metrics.join(', ')}`);
  const rate = number('request_rate');
  return {
    line,
    inputTokens: tokens('input_tokens'),
    outputTokens: tokens('output_tokens'),
    rate: rate > 0 ? rate : fail(`request_rate is ${rate}, not above 0`),
    samples: typeof fields['samples'] === 'number' ? fields['samples'] : null,
    metric,
    ...(fields['rate_limit'] === undefined ? {} : { atLimit: rate >= number('rate_limit') }),
    values: {
      mean: number('mean'),
      P50: fields['P50'] === undefined ? null : number('P50'),
      P90: fields['P90'] === undefined ? null : number('P90'),
      P99: fields['P99'] === undefined ? null : number('P99'),
    },
  };
};

const fieldsOf = (text: string): JsonObject | null => {
  try {
    const value = pythonJson(text, Number);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};
const shown = (value: unknown): string => (value === undefined ? 'missing' : JSON.stringify(value));
