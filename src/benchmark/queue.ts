import type { Slo } from '../profiles/profile-document.ts';

/** The smallest overload that matters, as a share of the rate. */
const overload = 0.05;

/**
 * How long a queue takes to become as long as it gets (s). One that is let wait W goes up and down at random with about 1 / rate
 * of work at each arrival, and so takes W² rate to come as far as W; but an overload that matters brings it there in W over
 * that overload.
 * @example queueSeconds({ percentile: 99, ttft: 2 }, 4) // => 16
 * @example queueSeconds({ percentile: 99, ttft: 1 }, 1000) // => 20
 */
export const queueSeconds = ({ ttft, e2e }: Slo, rate: number): number => {
  const limit = ttft ?? e2e ?? 0;
  return limit * Math.min(limit * rate, 1 / overload);
};
