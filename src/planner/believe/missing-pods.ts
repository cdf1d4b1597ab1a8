import type { ReplicaPod } from './startups.ts';

/** A Deployment whose pods do not come. */
export interface Outage {
  /** Replicas that run, or may still come, when they were last counted. */
  readonly attainable: number;
  /** How often it was believed in, in vain. */
  readonly failures: number;
  /** Until then it is planned with no more than that; then it is tried again (Unix s). */
  readonly retryAt: number;
}

/** What the pods of a Deployment amount to. */
export interface PodCount {
  /** Those that are Ready, and those that are not but within their startup time. */
  readonly attainable: number;
  readonly startingCount: number;
  /** Names of those beyond it: they count as 0, whatever the cause. */
  readonly late: ReadonlySet<string>;
  /** Whether the late ones say that more would not come either. */
  readonly moreWouldNotCome: boolean;
}

/** First and longest time until a type is tried again (s). */
const firstRetrySeconds = 300;
const longestRetrySeconds = 3600;

/**
 * @param patienceSeconds how long a pod may take from its creation, from when it was placed, or since it was Ready (s)
 * @param outage while it is tried again, nobody is late for what was before
 */
export const podCount = (pods: readonly ReplicaPod[], patienceSeconds: number, outage: Outage | null, now: number): PodCount => {
  const forgiven = outage !== null && now >= outage.retryAt ? outage.retryAt : Number.NEGATIVE_INFINITY;
  const ready = pods.filter((pod) => pod.ready);
  const late = pods.filter((pod) => !pod.ready && now - Math.max(startedAt(pod), forgiven) > patienceSeconds);
  const lastSuccess = Math.max(Number.NEGATIVE_INFINITY, ...ready.map(({ readinessAt }) => readinessAt ?? now));
  const startingCount = pods.length - ready.length - late.length;
  return {
    attainable: ready.length + startingCount,
    startingCount,
    late: new Set(late.map(({ name }) => name)),
    // One that has its place and does not come is alone with its trouble where others have come since it started.
    moreWouldNotCome: late.some((pod) => pod.unschedulable || startedAt(pod) > lastSuccess),
  };
};

const startedAt = ({ createdAt, placedAt, readinessAt }: ReplicaPod): number =>
  Math.max(createdAt, placedAt ?? createdAt, readinessAt ?? createdAt);

/**
 * The outage after another look at the pods; null = there is none. It is over when one more came; while nobody asks for one,
 * its failures are remembered for an hour.
 */
export const outageAfter = (
  outage: Outage | null,
  { attainable, startingCount, late, moreWouldNotCome }: PodCount,
  now: number,
): Outage | null => {
  const again = (failures: number): Outage => ({
    attainable,
    failures,
    retryAt: now + Math.min(firstRetrySeconds * 2 ** (failures - 1), longestRetrySeconds),
  });
  if (outage === null) return moreWouldNotCome ? again(1) : null;
  if (now < outage.retryAt) return late.size === 0 && attainable > outage.attainable ? null : { ...outage, attainable };
  if (moreWouldNotCome) return again(outage.failures + 1);
  const over = (startingCount === 0 && attainable > outage.attainable) || now >= outage.retryAt + longestRetrySeconds;
  return over ? null : outage;
};

/** Most replicas to plan with; null = as many as one likes. */
export const attainableReplicas = (outage: Outage | null, now: number): number | null =>
  outage !== null && now < outage.retryAt ? outage.attainable : null;
