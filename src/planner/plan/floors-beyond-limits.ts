import type { Snapshot, Variant } from '../../vocabulary/planning-documents.ts';
import { poolsOf } from './gpu-pools.ts';

/** Least replicas that alone take more than there is. */
export interface FloorBeyondLimit {
  /** A GPU type, what a namespace may have of it, or `budget`. */
  readonly limit: string;
  /** What the least replicas take of it, and what there is: GPUs, or money/h. */
  readonly floor: number;
  readonly available: number;
  /** Whose least replicas these are. */
  readonly variants: readonly string[];
}

/** Floors that stock, quotas or the budget do not hold: no plan keeps both, and a plan keeps the floors. */
export const floorsBeyondLimits = (snapshot: Snapshot): readonly FloorBeyondLimit[] => {
  const floored = snapshot.models.flatMap(({ variants }) => variants).filter(({ minReplicas }) => minReplicas > 0);
  const beyond = (limit: string, available: number, takers: readonly Variant[], each: (variant: Variant) => number) => {
    const floor = Number(takers.reduce((sum, variant) => sum + each(variant) * variant.minReplicas, 0).toPrecision(12));
    return floor > available ? [{ limit, floor, available, variants: takers.map(({ name }) => name).sort() }] : [];
  };
  return [
    ...poolsOf(snapshot).flatMap(({ name, gpus, takes }) =>
      beyond(name, gpus, floored.filter(takes), ({ gpusPerReplica }) => gpusPerReplica),
    ),
    ...(snapshot.budget === null ? [] : beyond('budget', snapshot.budget, floored, ({ price }) => price)),
  ];
};

/** Deployments that are named at most. */
const named = 5;

/**
 * What is wrong, for people.
 * @example
 * const beyond = { limit: 'H100', floor: 12, available: 8, variants: ['ns/a'] };
 * floorText(beyond) // => 'the least replicas of ns/a take 12 H100, and there are 8'
 */
export const floorText = ({ limit, floor, available, variants }: FloorBeyondLimit): string => {
  const whose = `${variants.slice(0, named).join(', ')}${variants.length > named ? ` and ${variants.length - named} more` : ''}`;
  return limit === 'budget'
    ? `the least replicas of ${whose} cost $${floor}/h, and the budget is $${available}/h`
    : `the least replicas of ${whose} take ${floor} ${limit}, and there are ${available}`;
};
