import { element } from '../vocabulary/list-element.ts';
import { type DemandRow, totalRate, type Variant } from '../vocabulary/planning-documents.ts';
import { atTightestIteration, iterationsOf } from './iterations.ts';
import type { Profile, Slo } from './profile-document.ts';
import { beyondSloThroughputs, e2eSecondsAt, isExtrapolated, isServable } from './throughput.ts';

/** What one replica does of each row of demand. */
export type VariantService = Pick<Variant, 'throughput' | 'throughputBeyondSlo' | 'e2eSeconds' | 'sloShare'>;

/** What a variant serves of each row of demand by its profile. */
export const servedByProfile = (profile: Profile, demand: readonly DemandRow[]): VariantService => {
  const beyond = beyondSloThroughputs(profile, demand);
  const percentile = profile.slo?.percentile ?? 0;
  const sloShare = percentile > 0 ? (100 - percentile) / 100 : null;
  const e2eSeconds =
    profile.e2eSeconds === null
      ? null
      : demand.map(({ inputTokens, outputTokens }) => e2eSecondsAt(profile, inputTokens, outputTokens));
  const alone = demand.map(({ inputTokens, outputTokens }, row) =>
    isServable(profile, inputTokens, outputTokens) ? beyond[row]! : 0,
  );
  const throughput =
    e2eSeconds === null || loadsAdd(profile.slo) ? alone : together(profile, demand, alone, e2eSeconds, sloShare ?? 0);
  return {
    throughput,
    throughputBeyondSlo: beyond.map((rate, row) => (throughput[row]! > 0 ? throughput[row]! : rate)),
    e2eSeconds,
    sloShare,
  };
};

const together = (
  profile: Profile,
  demand: readonly DemandRow[],
  alone: readonly number[],
  e2eSeconds: readonly number[],
  mayMiss: number,
): number[] => {
  const iterations = iterationsOf(profile);
  return iterations === null
    ? derated(demand, alone, e2eSeconds, mayMiss)
    : atTightestIteration(profile, iterations, demand, alone, mayMiss);
};

/** Share of the demand whose size lies outside the profile's grid, 0 to 1; 0 where there is no demand. */
export const extrapolatedShare = (profile: Profile, demand: readonly DemandRow[]): number => {
  const outside = demand.filter(({ inputTokens, outputTokens }) => isExtrapolated(profile, inputTokens, outputTokens));
  const total = totalRate(demand);
  return total > 0 ? totalRate(outside) / total : 0;
};

/** What of the demand lies above a profile's grid: its share, 0 to 1, and the largest size; null = nothing. */
export const beyondGrid = (
  profile: Profile,
  demand: readonly DemandRow[],
): { readonly share: number; readonly largest: DemandRow } | null => {
  const [most, longest] = [profile.inputTokens.at(-1)!, profile.outputTokens.at(-1)!];
  const beyond = demand.filter(
    ({ inputTokens, outputTokens, arrivalRate }) => arrivalRate > 0 && (inputTokens > most || outputTokens > longest),
  );
  const total = totalRate(demand);
  if (beyond.length === 0) return null;
  const tokens = ({ inputTokens, outputTokens }: DemandRow) => inputTokens + outputTokens;
  return {
    share: totalRate(beyond) / total,
    largest: beyond.reduce((a, b) => (tokens(b) > tokens(a) ? b : a)),
  };
};

/**
 * Whether half of one size's throughput and half of another's fill a replica. A limit on the time per output token bounds
 * each iteration of the engine, whatever is in the batch. An end-to-end limit alone lets short requests run in a larger
 * batch than long ones could be in.
 */
const loadsAdd = (slo: Slo | null): boolean => slo?.e2e === undefined || slo.tpot !== undefined;

/**
 * Throughput where all sizes share one batch, no larger than the tightest size allows: by Little's law n_c = μ_c T_c
 * requests are in flight when size c alone is served at its limit, so with N = min n_c a replica serves N / T_c of it. In the
 * example 6 in flight are too many for the second size, which allows 4.
 * @param mayMiss share of the requests whose limit need not hold: the tightest sizes up to that share do not count
 * @example
 * const size = { inputTokens: 512, outputTokens: 512, arrivalRate: 1 };
 * derated([size, size], [6, 1], [1, 4], 0) // => [4, 1]
 */
export const derated = (
  demand: readonly DemandRow[],
  throughput: readonly number[],
  e2eSeconds: readonly number[],
  mayMiss: number,
): number[] => {
  const inFlight = throughput.map((rate, row) => rate * element(e2eSeconds, row));
  const limited = demand
    .flatMap(({ arrivalRate }, row) =>
      arrivalRate > 0 && element(inFlight, row) > 0 ? { arrivalRate, most: element(inFlight, row) } : [],
    )
    .sort((a, b) => a.most - b.most);
  const total = totalRate(limited);
  let missed = 0;
  const tightest = limited.find(({ arrivalRate }) => {
    missed += arrivalRate;
    return missed > mayMiss * total * (1 + 1e-12);
  });
  if (tightest === undefined) return [...throughput];
  return throughput.map((rate, row) =>
    element(inFlight, row) > 0 ? Math.min(rate, tightest.most / element(e2eSeconds, row)) : rate,
  );
};
