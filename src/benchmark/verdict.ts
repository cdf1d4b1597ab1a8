import type { Slo } from '../profiles/profile-document.ts';
import { queueSeconds } from './queue.ts';
import { percentile, type Sample } from './samples.ts';
import type { Size } from './sizes.ts';

/** Whether a rate keeps the SLO, as far as the requests so far tell. */
export type Verdict = 'kept' | 'missed' | 'unsure';

/** So many standard deviations make it sure: a search asks many times, and one wrong answer spoils it. */
const sure = 2.5;
/**
 * A queue forgets in this share of the time that it takes to become as long as it may get, for 99 % of the requests: 1 /
 * ln(100).
 */
const forgets = 0.2;

/**
 * Judges a rate by the requests that were sent at it so far, in order. Requests near each other in time fare alike: a burst makes
 * all wait that are there, so that a thousand of them may be no more than a few cases. So many cases as fit into the time
 * that they came in tell a percentile that a share p lies beyond to 1 / sqrt(p cases) of the tail's scale, of which it is
 * ln(1/2p) above the median where the tail falls by the same factor for each further second.
 * @param tolerance what the distance of the percentile from the median need not be known closer than, as a share of it
 */
export const verdictOf = (
  samples: readonly Sample[],
  size: Size,
  { slo, rate, tolerance }: { readonly slo: Slo; readonly rate: number; readonly tolerance: number },
): Verdict => {
  const e2e = percentile(
    samples.flatMap((sample) => (sample.kind === 'served' ? sample.doneAt - sample.sentAt : [])).sort((a, b) => a - b),
    0.5,
  );
  const cases = samples.length / rate / Math.max(e2e, forgets * queueSeconds(slo, rate));
  // Of a mean or a median the upper half tells.
  const beyond = slo.percentile <= 50 ? 0.1 : 1 - slo.percentile / 100;
  const off = sure / (Math.log(0.5 / beyond) * Math.sqrt(beyond * Math.max(1, cases)));
  const verdicts = limitsOf(samples, size, slo).map(({ times, limit }) =>
    ofLimit(times, limit, slo.percentile, off <= tolerance ? 0 : off),
  );
  return verdicts.includes('missed') ? 'missed' : verdicts.includes('unsure') ? 'unsure' : 'kept';
};

const never = Number.POSITIVE_INFINITY;

/** Each limit on a time, and the times that it is for, in order; who got no answer waits for ever. */
const limitsOf = (samples: readonly Sample[], { inputTokens, outputTokens }: Size, slo: Slo) => {
  const times = (of: (sample: Extract<Sample, { kind: 'served' }>) => number): readonly number[] =>
    samples
      .flatMap((sample) => (sample.kind === 'served' ? of(sample) : sample.kind === 'failed' ? never : []))
      .sort((a, b) => a - b);
  const whole = Math.min(slo.e2e ?? never, (slo.tpat ?? never) * (inputTokens + outputTokens));
  return [
    { limit: slo.ttft ?? never, times: times(({ sentAt, firstTokenAt }) => firstTokenAt - sentAt) },
    {
      limit: slo.tpot ?? never,
      times: times(({ firstTokenAt, doneAt }) => (doneAt - firstTokenAt) / Math.max(1, outputTokens - 1)),
    },
    { limit: whole, times: times(({ sentAt, doneAt }) => doneAt - sentAt) },
  ].filter(({ limit }) => limit < never);
};

/** @param off what the distance from the median may be off by, as a share of it */
const ofLimit = (times: readonly number[], limit: number, percent: number, off: number): Verdict => {
  const middle = percentile(times, 0.5);
  const value = percent === 0 ? times.reduce((sum, time) => sum + time, 0) / times.length : percentile(times, percent / 100);
  // What a mean or a median may be off by is told by the spread.
  const distance = percent <= 50 ? percentile(times, 0.9) - middle : value - middle;
  if (value + distance * off < limit) return 'kept';
  return value === never || value - (distance * off) / (1 + off) >= limit ? 'missed' : 'unsure';
};
