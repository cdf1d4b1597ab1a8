import type { Slo } from '../profiles/profile-document.ts';
import { exponential } from '../vocabulary/random.ts';
import { queueSeconds } from './queue.ts';

export interface ArrivalOptions {
  /** Per second. */
  readonly rate: number;
  readonly slo: Slo;
  readonly requests: number;
  readonly mostSeconds: number;
}

/** When the requests that count are sent. */
export interface CountedArrivals {
  /** How many count so far. */
  stage(): number;
  /** Twice as many count; false where these would be too many. */
  extend(): boolean;
  /** How many may count in the end. */
  readonly most: number;
  /** Time between a request and the one before it (s), by its place from 0. */
  gapBefore(place: number): number;
}

/** Fewer tell nothing about a percentile. */
const fewestCounted = 30;
/** The batch is full when requests have come for so many times as long as one takes, and as long as a queue takes to settle. */
const fillings = 3;
/**
 * Those that count come for so many times as long: lest the first and the last of them say more than
 * the others, and so that a queue that grows has the time to show.
 */
const countedFillings = 4;
/** Doubling ends at so many times the requests that count at first: what these leave in doubt is near enough. */
const mostTimes = 64;

/**
 * Once the batch is full, the gaps between the requests that count: those of a Poisson process of which one knows how many
 * come and how long that takes, stage by stage. So the rate is what it should be, and chance is only in when they come.
 * @param e2e how long a request takes (s)
 * @param elapsed since the first request (s)
 * @returns null while the batch fills
 */
export const countedArrivals = (
  e2e: number,
  elapsed: number,
  { rate, slo, requests, mostSeconds }: ArrivalOptions,
  random: () => number,
): CountedArrivals | null => {
  const settled = Math.max(e2e, queueSeconds(slo, rate));
  if (elapsed < Math.min(Math.max(fillings * e2e, settled), mostSeconds)) return null;
  const least = Math.min(mostSeconds, countedFillings * settled);
  const count = Math.ceil(rate * Math.max(Math.min(requests / rate, mostSeconds), least));
  let stage = Math.max(fewestCounted, count);
  let most = stage;
  while (2 * most <= Math.min(rate * mostSeconds, mostTimes * requests)) most *= 2;
  const gaps: number[] = [];
  const draw = (): void => {
    const some = Array.from({ length: Math.max(stage, gaps.length) }, () => exponential(random, 1));
    const sum = some.reduce((total, gap) => total + gap, 0);
    for (const gap of some) gaps.push((gap * some.length) / (rate * sum));
  };
  return {
    stage: () => stage,
    extend: () => {
      if (2 * stage > most) return false;
      stage *= 2;
      return true;
    },
    most,
    gapBefore: (place) => {
      // Requests go on coming while the last of a stage are waited for.
      if (place >= gaps.length) draw();
      return gaps[place]!;
    },
  };
};
