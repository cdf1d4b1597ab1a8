import type { Pace } from '../../cluster/pace.ts';

/** A target that spec.replicas has not reached. */
export interface Following {
  /** spec.replicas when it was last looked at. */
  readonly replicas: number;
  /** Whether it would have to rise. */
  readonly rising: boolean;
  /** Since when it has not moved toward the target (Unix s). */
  readonly since: number;
  /** Not followed: the others are planned around it until then (Unix s); null = it may still be followed. */
  readonly unfollowedUntil: number | null;
  /** Of its autoscaler; see Pace. */
  readonly spec: string | null;
}

export interface FollowSettings {
  /** A target toward which spec.replicas has not moved for so long is not followed (s). */
  readonly followAfterSeconds: number;
}

/** How long a target that is not followed is not tried again (s). */
const retrySeconds = 300;

/**
 * What is not followed is tried again after five minutes, and at once when its autoscaler is changed or spec.replicas moves
 * toward the target.
 * @param target what was published last; null = nothing
 * @param pace how long the autoscaler may wait by its own settings; null = there is none
 */
export const followingAfter = (
  before: Following | null,
  replicas: number,
  target: number | null,
  pace: Pace | null,
  { followAfterSeconds }: FollowSettings,
  now: number,
): Following | null => {
  if (target === null || target === replicas || withinTolerance(replicas, target, pace)) return null;
  const spec = pace?.spec ?? null;
  const rising = target > replicas;
  const moved = before !== null && (rising ? replicas > before.replicas : replicas < before.replicas);
  if (before !== null && before.unfollowedUntil !== null)
    return now < before.unfollowedUntil && spec === before.spec && !moved ? { ...before, replicas, rising } : null;
  const since = before === null || before.rising !== rising || moved ? now : before.since;
  const settles = (rising ? pace?.up : pace?.down)?.waitSeconds ?? 0;
  const late = now - since > followAfterSeconds + settles;
  return { replicas, rising, since, unfollowedUntil: late ? now + retrySeconds : null, spec };
};

export const isUnfollowed = (following: Following | null): boolean => following !== null && following.unfollowedUntil !== null;

/** An autoscaler leaves differences within its tolerance alone; headroom covers them. */
export const withinTolerance = (replicas: number, target: number, pace: Pace | null): boolean => {
  if (pace === null || replicas === 0 || target === replicas) return false;
  const { tolerance } = target > replicas ? pace.up : pace.down;
  const ratio = target / replicas;
  return 1 - tolerance <= ratio && ratio <= 1 + tolerance;
};
