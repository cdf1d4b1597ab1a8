import type { Interval } from '../../workload/workload.ts';
import { type CountedShape, demandOf, mergedDemand, type Shape, shapeOf } from './rates-and-shapes.ts';

/**
 * Few requests tell little of the sizes that come. After a pause the first to end are the shortest, and before it the last are
 * the longest. So until enough have ended, those that ended earlier count with them.
 */
export interface RequestSizes {
  /** To plan by. */
  readonly shape: Shape;
  /** What was counted last when there were enough, or as many as there ever were. */
  readonly counted: CountedShape;
  /** Up to when requests that ended are in it, or have taken its place (Unix s). */
  readonly at: number;
}

/** So many requests tell the mean work to a tenth, with sizes as various as usual (a spread of 2). */
const enough = 100;

/**
 * Takes in what has ended in the window. Each request that ends takes the place of one that was counted before: where other sizes
 * come now, the old ones are gone after as many.
 * @returns undefined where no size is known
 */
export const sizesAfter = (
  before: RequestSizes | undefined,
  intervals: readonly Interval[],
  windowSeconds: number,
): RequestSizes | undefined => {
  const seen = shapeOf(intervals, windowSeconds);
  if (seen === null) return before;
  const at = seen.until;
  if (before === undefined || seen.requests >= enough) return { shape: seen.shape, counted: atMostEnough(seen), at };
  const ended = shapeOf(
    intervals.filter(({ time }) => time > before.at),
    windowSeconds,
  );
  const counted = { ...before.counted, requests: before.counted.requests - (ended?.requests ?? 0) };
  if (counted.requests <= seen.requests) return { shape: seen.shape, counted: seen, at };
  return { shape: together(seen, { ...counted, requests: Math.min(counted.requests, enough - seen.requests) }), counted, at };
};

const atMostEnough = (seen: CountedShape): CountedShape => ({ ...seen, requests: Math.min(enough, seen.requests) });

const together = (one: CountedShape, other: CountedShape): Shape => {
  const all = one.requests + other.requests;
  const rows = mergedDemand([one, other].map(({ shape, requests }) => demandOf(requests, shape, 0)));
  return rows.map(({ inputTokens, outputTokens, arrivalRate }) => ({ inputTokens, outputTokens, share: arrivalRate / all }));
};
