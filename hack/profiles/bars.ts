import { calibrated, quantile, ratioAt } from './calibrate.ts';
import { bySize, type Point } from './measured.ts';
import { measuredReplicas, type Replica, sampleOf } from './replicas.ts';

/** The true throughput over the profile's lies between these, nine times of ten. */
export type Bar = readonly [number, number];

const barOf = (trueOverProfile: readonly number[]): Bar | null =>
  trueOverProfile.length === 0 ? null : [quantile(trueOverProfile, 0.05), quantile(trueOverProfile, 0.95)];

/** Measured over predicted, each size by efficiencies that were set without it. */
export const leftOutSizes = (replica: Replica): readonly (readonly [Point, number])[] => {
  const { setup, points } = sampleOf(replica);
  const sizes = [...bySize(points).values()];
  return sizes.flatMap((some) => {
    const efficiency = calibrated([{ setup, points: points.filter((point) => !some.includes(point)) }]);
    return some.map((point) => [point, 1 / ratioAt(setup, efficiency, point)] as const);
  });
};

/** The same, each GPU by efficiencies that were set on all the others. */
export const leftOutGpus = (): readonly (readonly [Replica, readonly number[]])[] => {
  known ??= measuredReplicas.map((replica) => {
    const others = measuredReplicas.filter(({ gpu }) => gpu !== replica.gpu);
    const efficiency = calibrated(others.map(sampleOf));
    const { setup, points } = sampleOf(replica);
    return [replica, points.map((point) => 1 / ratioAt(setup, efficiency, point))] as const;
  });
  return known;
};
let known: readonly (readonly [Replica, readonly number[]])[] | undefined;

/**
 * Measured over carried: what the roofline makes of a size's second highest concurrency for the highest. That is what is done
 * where a limit lies beyond all that was measured.
 */
export const carried = (replica: Replica): readonly number[] => {
  const { setup, points } = sampleOf(replica);
  if (points.length === 0) return [];
  const efficiency = calibrated([{ setup, points }]);
  return [...bySize(points).values()].flatMap((some) => {
    const [last, before] = some.toSorted((a, b) => b.concurrency - a.concurrency);
    if (last === undefined || before === undefined) return [];
    return [ratioAt(setup, efficiency, before) / ratioAt(setup, efficiency, last)];
  });
};

/** Of measured sizes and of the others. */
export const barsOf = (replica: Replica): { readonly measured: Bar | null; readonly other: Bar | null } => {
  if (replica.origin.kind === 'simulated') return { measured: null, other: null };
  if (replica.origin.kind === 'measured') {
    const other = barOf(leftOutSizes(replica).map(([, ratio]) => ratio));
    return { measured: barOf(carried(replica)) ?? other, other };
  }
  const between = barOf(leftOutGpus().flatMap(([, ratios]) => ratios));
  // No GPU of these generations was measured: twice as wide, in logarithms, as between those that were.
  return { measured: null, other: between === null ? null : [between[0] ** 2, between[1] ** 2] };
};
