import type { Slo } from '../profiles/profile-document.ts';
import { queueSeconds } from './queue.ts';
import type { Size } from './sizes.ts';

export interface ProbeEffort {
  readonly slo: Slo;
  readonly requests: number;
  readonly mostSeconds: number;
}

/**
 * Probes that a size takes from a neighbour's guess: two or three to bracket the boundary, as many to narrow it down. The last of
 * them are near it, and count for as long as they may.
 */
export const usualProbes = 5;
const nearProbes = 2;

/** How long a request takes at the SLO's limit (s): at the rate that is looked for, it takes no longer. */
export const longestE2e = ({ inputTokens, outputTokens }: Size, { ttft, tpot, tpat, e2e }: Slo): number => {
  const never = Number.POSITIVE_INFINITY;
  const limits = [
    e2e ?? never,
    tpat === undefined ? never : tpat * (inputTokens + outputTokens),
    tpot === undefined ? never : (ttft ?? 0) + tpot * (outputTokens - 1),
  ];
  const least = Math.min(...limits);
  // Without a limit on the end nothing is known: 50 ms a token.
  return Number.isFinite(least) ? least : 0.05 * outputTokens;
};

/** Requests in flight that an engine surely takes at once: few, so that what is expected is not too little. */
const inFlight = 8;

/**
 * How long a size takes at most (s): each probe fills the batch in three times as long as a request takes, or as a queue takes to
 * settle, counts for at least four such times, and ends with the last answer.
 */
export const expectedSeconds = (size: Size, { slo, requests, mostSeconds }: ProbeEffort): number => {
  const e2e = longestE2e(size, slo);
  // The rate is not known yet: a queue settles no later than this.
  const settled = Math.max(e2e, queueSeconds(slo, Number.POSITIVE_INFINITY));
  const counting = Math.min(mostSeconds, Math.max((requests * e2e) / inFlight, 4 * settled));
  const around = Math.min(mostSeconds, Math.max(3 * e2e, settled)) + e2e;
  return usualProbes * around + (usualProbes - nearProbes) * counting + nearProbes * mostSeconds;
};

/** How long a size took, over what was expected at most. */
export interface SizeTaken {
  readonly size: Size;
  readonly ratio: number;
}

/**
 * What is left (s). Small sizes take a smaller share of what is expected of them than large ones, so each is taken to be like the
 * last one with as many output tokens, which takes most of the time, or else like the last one of all.
 * @param taken in order; none = what is expected at most
 */
export const secondsLeft = (left: readonly Size[], effort: ProbeEffort, taken: readonly SizeTaken[]): number => {
  const ratioOf = ({ outputTokens }: Size): number =>
    (taken.findLast(({ size }) => size.outputTokens === outputTokens) ?? taken.at(-1))?.ratio ?? 1;
  return left.reduce((sum, size) => sum + expectedSeconds(size, effort) * ratioOf(size), 0);
};

/** @example timeText(5400) // => '1 h 30 min' */
export const timeText = (seconds: number): string => {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
