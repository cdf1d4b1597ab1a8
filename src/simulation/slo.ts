import type { Slo } from '../profiles/profile-document.ts';

/** One request that has ended; times in seconds. */
export interface EndedRequest {
  readonly arrivedAt: number;
  readonly firstTokenAt: number;
  readonly doneAt: number;
  readonly outputTokens: number;
}

/** Whether a request was within the limits of an SLO on times: TTFT, TPOT (per request, its mean) and E2E. */
export const withinSlo = ({ ttft, tpot, e2e }: Slo, { arrivedAt, firstTokenAt, doneAt, outputTokens }: EndedRequest): boolean =>
  firstTokenAt - arrivedAt < (ttft ?? Number.POSITIVE_INFINITY) &&
  (doneAt - firstTokenAt) / Math.max(1, outputTokens - 1) < (tpot ?? Number.POSITIVE_INFINITY) &&
  doneAt - arrivedAt < (e2e ?? Number.POSITIVE_INFINITY);
