import type { Slo } from '../profiles/profile-document.ts';
import { GpumixError } from '../vocabulary/errors.ts';
import type { BenchmarkMetric, Measurement, Statistic } from './results.ts';

export interface ProfileOptions {
  /** Deployment that was measured: `name` or `namespace/name`. */
  readonly deployment: string;
  /** Of one replica. */
  readonly cost: number;
  readonly slo: Slo;
  /** Unix seconds. */
  readonly created: number;
  readonly gpuType: string | null;
  readonly gpusPerReplica: number | null;
}

export interface MeasuredProfile {
  /** AIBrix's profile document: matrices are output x input. */
  readonly document: Record<string, unknown>;
  /** One line each. */
  readonly warnings: readonly string[];
  /** Sizes whose throughput is only the highest rate that might be sent, one line each. */
  readonly atRateLimit: readonly string[];
  /** Where no size keeps the limits: the limit that nothing meets, and the best that was seen of it; null = some size does. */
  readonly nothingMeets: string | null;
}

/** A limit and what it is compared with. Least values bound from below with the mean, times from above with a column. */
const limits: readonly { readonly metric: BenchmarkMetric | 'TPAT'; readonly name: keyof Slo; readonly least: boolean }[] = [
  { metric: 'TPUT', name: 'tput', least: true },
  { metric: 'TT', name: 'tt', least: true },
  { metric: 'E2E', name: 'e2e', least: false },
  { metric: 'TTFT', name: 'ttft', least: false },
  { metric: 'TPAT', name: 'tpat', least: false },
  { metric: 'TPOT', name: 'tpot', least: false },
];
/** A rate that is served less than this share of adds to a queue for ever. */
const keepsUp = 0.9;

/**
 * The profile that follows from a benchmark's results, by AIBrix's rule. Of each size, the rates whose measurements keep
 * every limit that is set (strictly, for times) remain; of those that are served to 90 % the largest counts, else the
 * smallest; the throughput measured there is what one replica serves. No rate left: 0.
 *
 * Unlike AIBrix's tool: a limit that is not set asks for no rows, a size that was not measured is 0 and named, and of
 * repeated lines the newest counts.
 * @throws GpumixError BAD_BENCHMARK where the percentile's column is missing
 */
export const profileOfResults = (results: readonly Measurement[], options: ProfileOptions): MeasuredProfile => {
  const { slo } = options;
  const inputs = ascending(results.map(({ inputTokens }) => inputTokens));
  const outputs = ascending(results.map(({ outputTokens }) => outputTokens));
  if (inputs.length === 0) throw new GpumixError('BAD_BENCHMARK', 'there is no measurement');
  const { newest, repeated } = withoutRepeats(results);
  const cells = outputs.map((output) =>
    inputs.map((input) => {
      const rows = newest.filter((row) => row.inputTokens === input && row.outputTokens === output);
      return { input, output, ...cellOf(rows, slo) };
    }),
  );
  const matrix = (value: (cell: ReturnType<typeof cellOf>) => number) => cells.map((row) => row.map(value));
  const unmeasured = cells.flat().filter(({ measured }) => !measured);
  const { percentile, ...set } = slo;
  return {
    document: {
      gpu: options.deployment,
      cost: options.cost,
      tputs: matrix(({ throughput }) => throughput),
      indexes: [outputs, inputs],
      created: options.created,
      e2e: matrix(({ e2e }) => e2e),
      ...(slo.ttft === undefined ? {} : { ttft: matrix(({ ttft }) => ttft) }),
      slos: { percentile, ...set },
      ...(options.gpuType === null ? {} : { gpuType: options.gpuType }),
      ...(options.gpusPerReplica === null ? {} : { gpusPerReplica: options.gpusPerReplica }),
    },
    warnings: [
      ...repeated,
      ...unmeasured.map(({ input, output }) => `${input} tokens in, ${output} out: not measured; counts as 0`),
    ],
    atRateLimit: cells
      .flat()
      .filter(({ atLimit }) => atLimit)
      .map(
        ({ input, output, throughput }) =>
          `${input} tokens in, ${output} out: ${throughput} req/s were served at the highest rate that might be sent (--rate-limit of gpumix benchmark): it may serve more`,
      ),
    nothingMeets: cells.flat().some(({ throughput }) => throughput > 0) ? null : unmetText(newest, slo),
  };
};

/**
 * Of each limit that no measurement keeps, the best value that was seen and where; else that no rate keeps all of them at
 * once.
 */
const unmetText = (rows: readonly Measurement[], slo: Slo): string => {
  const unmet = limits.flatMap((limit) => {
    const asked = slo[limit.name];
    if (asked === undefined || rows.some((row) => keeps([row], row.rate, limit, slo))) return [];
    const seen = rows
      .filter(({ metric }) => metric === (limit.metric === 'TPAT' ? 'E2E' : limit.metric))
      .map((row) => ({ row, value: comparedValue(row, limit, slo) }))
      .filter(({ value }) => Number.isFinite(value))
      .sort((a, b) => (limit.least ? b.value - a.value : a.value - b.value));
    const [best] = seen;
    const statistic = limit.least || slo.percentile === 0 ? 'mean' : `P${slo.percentile}`;
    const found =
      best === undefined
        ? `no line measures ${limit.metric === 'TPAT' ? 'E2E' : limit.metric}`
        : `the best ${statistic} is ${Number(best.value.toPrecision(4))} (line ${best.row.line}: ${best.row.inputTokens} tokens in, ${best.row.outputTokens} out at ${best.row.rate} req/s)`;
    return [`nothing meets --${limit.name} ${asked}: ${found}`];
  });
  return unmet.length > 0 ? unmet.join('; ') : 'no size keeps all limits at one rate';
};

const ascending = (values: readonly number[]): readonly number[] => [...new Set(values)].sort((a, b) => a - b);

/** Of lines that say the same of the same, the last. */
const withoutRepeats = (results: readonly Measurement[]) => {
  const last = new Map<string, Measurement>();
  const repeated: string[] = [];
  for (const row of results) {
    const key = `${row.inputTokens} ${row.outputTokens} ${row.rate} ${row.metric}`;
    const before = last.get(key);
    if (before !== undefined && row.metric === 'TPUT')
      repeated.push(
        `line ${row.line}: measures ${row.inputTokens} tokens in, ${row.outputTokens} out at ${row.rate} req/s again (line ${before.line}); the newest counts`,
      );
    last.set(key, row);
  }
  const newest = new Set(last.values());
  return { newest: results.filter((row) => newest.has(row)), repeated };
};

const cellOf = (rows: readonly Measurement[], slo: Slo) => {
  const mean = (metric: BenchmarkMetric, rate?: number): number =>
    rows.find((row) => row.metric === metric && (rate === undefined || row.rate === rate))?.values.mean ?? Number.NaN;
  const measured = rows.some(({ metric }) => metric === 'TPUT');
  const rates = ascending(rows.map(({ rate }) => rate)).filter((rate) => isWithin(rows, rate, slo));
  if (rates.length === 0) return { measured, atLimit: false, throughput: 0, e2e: mean('E2E'), ttft: mean('TTFT') };
  const served = rates.filter((rate) => mean('TPUT', rate) >= rate * keepsUp);
  const rate = served.at(-1) ?? rates[0]!;
  const atLimit = rows.some((row) => row.rate === rate && row.atLimit === true);
  return { measured, atLimit, throughput: mean('TPUT', rate), e2e: mean('E2E', rate), ttft: mean('TTFT', rate) };
};

/** Whether one size at one rate keeps every limit that is set. */
export const isWithin = (rows: readonly Measurement[], rate: number, slo: Slo): boolean =>
  rows.some((row) => row.metric === 'TPUT' && row.rate === rate && (row.values.mean ?? Number.NaN) >= 0) &&
  limits.every((limit) => keeps(rows, rate, limit, slo));

/** Whether one size at one rate breaks a limit on its times, whatever its throughput. */
export const isLate = (rows: readonly Measurement[], rate: number, slo: Slo): boolean =>
  !limits.filter(({ least }) => !least).every((limit) => keeps(rows, rate, limit, slo));

/** Whether it is served, too: what makes a rate count in a profile. */
export const isServedWithin = (rows: readonly Measurement[], rate: number, slo: Slo): boolean =>
  isWithin(rows, rate, slo) &&
  rows.some((row) => row.metric === 'TPUT' && row.rate === rate && row.values.mean! >= rate * keepsUp);

const keeps = (
  rows: readonly Measurement[],
  rate: number,
  { metric, name, least }: (typeof limits)[number],
  slo: Slo,
): boolean => {
  const limit = slo[name];
  if (limit === undefined) return true;
  return rows
    .filter((row) => row.rate === rate && row.metric === (metric === 'TPAT' ? 'E2E' : metric))
    .some((row) => {
      const compared = comparedValue(row, { metric, name, least }, slo);
      return least ? compared >= limit : compared < limit;
    });
};

/** What of a measurement is compared with a limit. @throws GpumixError BAD_BENCHMARK where its column is missing */
const comparedValue = (row: Measurement, { metric, least }: (typeof limits)[number], slo: Slo): number => {
  const statistic: Statistic = least || slo.percentile === 0 ? 'mean' : (`P${slo.percentile}` as Statistic);
  const value = row.values[statistic];
  if (value === null)
    throw new GpumixError('BAD_BENCHMARK', `line ${row.line}: has no column ${statistic}, which the percentile asks for`);
  return metric === 'TPAT' ? value / (row.inputTokens + row.outputTokens) : value;
};
