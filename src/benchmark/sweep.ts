import type { Slo } from '../profiles/profile-document.ts';
import { messageOf } from '../vocabulary/errors.ts';
import { seedOf } from '../vocabulary/random.ts';
import { expectedSeconds, type SizeTaken, secondsLeft } from './duration.ts';
import type { Clock, Endpoint } from './endpoint.ts';
import { askAlone, e2eOf, isLateAlone, othersAlone, type ServedAlone } from './one-request-alone.ts';
import { type ProbeResult, probe } from './probe.ts';
import { isLate, isServedWithin } from './profile-of.ts';
import { nextRate, type Probed, rounded, type SearchLimits, servedRate, steepness } from './rate-search.ts';
import { type Measurement, resultLine } from './results.ts';
import { measurementsOf } from './samples.ts';
import { guessedRate, type Size, sizeKey, sizesOf } from './sizes.ts';
import type { Vocabulary } from './words.ts';

export interface SweepOptions {
  /** The grid, ascending (tokens). */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** First rate where no neighbour tells; null = what has a few requests in flight. The highest rate (req/s). */
  readonly rateStart: number | null;
  readonly rateLimit: number;
  /** How close the found rate is to one that breaks the SLO: 0.05 = 5 %. */
  readonly precision: number;
  readonly slo: Slo;
  readonly requests: number;
  readonly mostSeconds: number;
  readonly seed: number;
  readonly model: string;
  readonly temperature: number;
}

/** What a sweep tells while it runs. */
export type SweepEvent =
  | { readonly kind: 'begins'; readonly size: Size; readonly rate: number }
  | {
      readonly kind: 'probe';
      readonly size: Size;
      readonly rate: number;
      readonly kept: boolean;
      readonly result: ProbeResult;
      readonly measurements: readonly Measurement[];
    }
  | {
      readonly kind: 'size';
      readonly size: Size;
      /** Highest rate that keeps the SLO (req/s); 0 = none. */
      readonly served: number;
      /** Why the endpoint takes no request of this size: longer than its context, say. Nothing is measured then. */
      readonly refused: string | null;
      readonly done: number;
      readonly of: number;
      readonly secondsLeft: number;
    };

export interface SweepTools {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly vocabulary: Vocabulary;
  /** Keeps lines of results, in order. */
  append(lines: readonly string[]): Promise<void>;
  tell(event: SweepEvent): void;
}

/** What a rate must have to count as measured: a kill may leave some of it. */
const metricsOfProbe = 5;
/** Requests in flight, on average, below which a size is not worth serving; and those to begin with. */
const [leastInFlight, firstInFlight] = [0.05, 4];

/**
 * Finds for each size the highest rate within the SLO. What was measured before is not measured again: the search follows
 * from the results alone, so that a sweep that was killed goes on where it was.
 * @returns that rate by key of size (req/s)
 * @throws GpumixError ENDPOINT_UNUSABLE; BAD_BENCHMARK where results cannot be kept
 */
export const sweep = async (
  options: SweepOptions,
  tools: SweepTools,
  existing: readonly Measurement[],
): Promise<ReadonlyMap<string, number>> => {
  const sizes = sizesOf(options.inputs, options.outputs);
  const served = new Map<string, number>();
  const taken: SizeTaken[] = [];
  for (const [index, size] of sizes.entries()) {
    const began = tools.clock.now();
    const probed = probedBefore(existing, size, options.slo);
    const found = await searched(size, probed, served, options, tools);
    served.set(sizeKey(size), found.rate);
    if (found.measured) taken.push({ size, ratio: (tools.clock.now() - began) / expectedSeconds(size, options) });
    const left = secondsLeft(sizes.slice(index + 1), options, taken);
    const { rate, refused } = found;
    tools.tell({ kind: 'size', size, served: rate, refused, done: index + 1, of: sizes.length, secondsLeft: left });
  }
  return served;
};

const searched = async (
  size: Size,
  probed: Probed[],
  served: ReadonlyMap<string, number>,
  options: SweepOptions,
  tools: SweepTools,
): Promise<{ readonly rate: number; readonly measured: boolean; readonly refused: string | null }> => {
  // Where the boundary or the limit is found, no lowest rate is needed, nor a request to learn it.
  if (probed.length > 0 && nextRate(probed, { ...unlimited, ...limitsOf(options) }) === null)
    return { rate: servedRate(probed), measured: false, refused: null };
  const first = await taken(askAlone(size, 0, options.seed, tools));
  if (typeof first === 'string') return { rate: 0, measured: false, refused: first };
  if (servedAtNone(probed, idleRate(e2eOf([first]), options))) return { rate: 0, measured: false, refused: null };
  const alone = isLateAlone([first], size, options.slo) ? await othersAlone(size, first, options.seed, tools) : [first];
  const limits = searchLimits(size, e2eOf(alone), served, options);
  if (isLateAlone(alone, size, options.slo)) {
    await keepAlone(alone, size, limits.lowest, options, tools);
    return { rate: 0, measured: true, refused: null };
  }
  for (let rate = nextRate(probed, limits); rate !== null; rate = nextRate(probed, limits))
    probed.push(await probedNow(size, rate, probed, options, tools));
  return { rate: servedRate(probed), measured: true, refused: null };
};

const unlimited = { first: 1, guessed: false, lowest: 0 };
const limitsOf = ({ rateLimit, precision }: SweepOptions) => ({ limit: rateLimit, precision });

/**
 * @returns the endpoint's words where it refuses the request: bad, too large, unprocessable. It is the size that is wrong,
 * as others were taken.
 */
const taken = (asking: Promise<ServedAlone>): Promise<ServedAlone | string> =>
  asking.catch((error: unknown) => {
    if (/^4(00|13|22) /.test(messageOf(error))) return messageOf(error);
    throw error;
  });

/** Below this rate the engine would idle (req/s). @param e2e how long a request takes by itself (s) */
const idleRate = (e2e: number, { rateLimit }: SweepOptions): number => Math.min(rateLimit, leastInFlight / e2e);

const searchLimits = (size: Size, e2e: number, served: ReadonlyMap<string, number>, options: SweepOptions): SearchLimits => {
  const guess = guessedRate(size, served, {
    input: before(options.inputs, size.inputTokens),
    output: before(options.outputs, size.outputTokens),
  });
  return {
    first: guess ?? options.rateStart ?? firstInFlight / e2e,
    guessed: guess !== null,
    lowest: idleRate(e2e, options),
    ...limitsOf(options),
  };
};

/**
 * A rate at which the engine idled was not kept. Requests take now a little more and now a little less, and so the idle rate
 * moves.
 */
const servedAtNone = (probed: readonly Probed[], lowest: number): boolean =>
  servedRate(probed) === 0 && probed.some(({ rate, kept }) => !kept && rate <= 1.5 * lowest);

/** Keeps what a size that no rate serves has shown, as a rate at which the engine idles. */
const keepAlone = async (
  samples: readonly ServedAlone[],
  size: Size,
  lowest: number,
  options: SweepOptions,
  tools: SweepTools,
): Promise<void> => {
  const rate = rounded(lowest);
  const measurements = measurementsOf(samples, size, rate);
  await tools.append(measurements.map((row) => resultLine(row, options)));
  const result = { samples, failures: new Map(), short: 0, hopeless: false, lateSeconds: 0 };
  tools.tell({ kind: 'probe', size, rate, kept: false, result, measurements });
};

const before = (ticks: readonly number[], tick: number): number | undefined => ticks[ticks.indexOf(tick) - 1];

const probedNow = async (
  size: Size,
  rate: number,
  before: readonly Probed[],
  options: SweepOptions,
  tools: SweepTools,
): Promise<Probed> => {
  const seed = seedOf(`${options.seed} ${sizeKey(size)} ${rate}`);
  const tolerance = options.precision * steepness(before);
  tools.tell({ kind: 'begins', size, rate });
  const result = await probe(tools.endpoint, tools.clock, tools.vocabulary, {
    ...options,
    size,
    rate,
    seed,
    tolerance,
  });
  // An engine that goes on with what nobody waits for answers when it is through; one that is gone says so now.
  if (result.hopeless) await askAlone(size, 0, options.seed, tools);
  const measurements = measurementsOf(result.samples, size, rate, result.hopeless);
  // By the lines alone, so that who reads them later comes to the same.
  const kept = isServedWithin(measurements, rate, options.slo);
  await tools.append(measurements.map((row) => resultLine(row, options)));
  tools.tell({ kind: 'probe', size, rate, kept, result, measurements });
  return { rate, kept, stretch: result.hopeless ? null : stretchOf(measurements, options.slo) };
};

/**
 * The probes of a size that results tell of in full; of lines that say the same of the same, the last counts. A rate that was
 * given up tells of other limits only that it breaks them, or nothing.
 */
const probedBefore = (results: readonly Measurement[], size: Size, slo: Slo): Probed[] => {
  const rows = results.filter((row) => sizeKey(row) === sizeKey(size));
  return [...new Set(rows.map(({ rate }) => rate))].flatMap((rate) => {
    const newest = [...new Map(rows.filter((row) => row.rate === rate).map((row) => [row.metric, row])).values()];
    const givenUp = newest.some(({ metric, values }) => metric === 'TPUT' && Number.isNaN(values.mean));
    if (newest.length < metricsOfProbe || (givenUp && !isLate(newest, rate, slo))) return [];
    return [{ rate, kept: isServedWithin(newest, rate, slo), stretch: givenUp ? null : stretchOf(newest, slo) }];
  });
};

/** How far the percentile is above the median, where it is nearest to its limit (s); null = that tells nothing. */
const stretchOf = (rows: readonly Measurement[], slo: Slo): number | null => {
  const stretches = (['ttft', 'tpot', 'e2e'] as const).flatMap((name) => {
    const [limit, row] = [slo[name], rows.find(({ metric }) => metric.toLowerCase() === name)];
    const [high, middle] = [row?.values.P99 ?? Number.NaN, row?.values.P50 ?? Number.NaN];
    return limit === undefined || !(high > middle) ? [] : [{ used: high / limit, stretch: high - middle }];
  });
  const nearest = stretches.reduce<(typeof stretches)[number] | null>(
    (best, one) => (best === null || one.used > best.used ? one : best),
    null,
  );
  return nearest !== null && Number.isFinite(nearest.stretch) ? nearest.stretch : null;
};
