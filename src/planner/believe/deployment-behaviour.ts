import type { Pace } from '../../cluster/pace.ts';
import type { Decision } from '../../vocabulary/target.ts';
import { type Following, type FollowSettings, followingAfter, heldByTolerance, isFixed } from './following.ts';
import { mostOf, type Outage, outageAfter, podCount } from './missing-pods.ts';
import { learned, noStartups, patienceSeconds, type ReplicaPod, type Startups, startupSeconds } from './startups.ts';

/** What was seen of one Deployment over time: how its pods start, whether they come, whether its target is followed. */
export interface Observed {
  readonly startups: Startups;
  readonly outage: Outage | null;
  readonly following: Following | null;
}

export interface ObserveSettings extends FollowSettings {
  /** What a replica takes to start, until that is learned (s). */
  readonly startupSeconds: number;
}

/** One Deployment as of one tick. */
export interface Sight {
  /** Those that have not ended; null = pods are not looked at. */
  readonly pods: readonly ReplicaPod[] | null;
  /** spec.replicas. */
  readonly replicas: number;
  /** What was published last; null = nothing, or of an earlier leader. */
  readonly last: Decision | null;
  readonly pace: Pace | null;
  /** Why Kubernetes makes no more pods of it; null = it does. */
  readonly refused: string | null;
  /** Somebody fixed it by hand: neither its pods nor its target are judged. */
  readonly fixed: boolean;
}

export const observe = (
  before: Observed | undefined,
  { pods, replicas, last, pace, refused, fixed }: Sight,
  settings: ObserveSettings,
  now: number,
): Observed => {
  const { startups = noStartups, outage = null, following = null } = before ?? {};
  const followed = (): Following | null =>
    fixed ? null : followingAfter(following, replicas, last?.replicas ?? null, pace, settings, now);
  if (pods === null) return { startups, outage: null, following: followed() };
  const counted = podCount(pods, patienceSeconds(startups, settings.startupSeconds), outage, now);
  // Pods that cannot even be made do not come either.
  const count = refused !== null && pods.length < replicas ? { ...counted, out: true } : counted;
  return {
    startups: learned(startups, pods, count.late, now),
    outage: fixed ? null : outageAfter(outage, count, now),
    following: followed(),
  };
};

/** What is said of one Deployment. */
export interface VariantReport {
  /** `namespace/name`. */
  readonly deployment: string;
  /** From creation to Ready, as learned or else as set (s). */
  readonly startupSeconds: number;
  /** Its pods do not come: it is planned with what it has. */
  readonly outOfStock: boolean;
  /** Why Kubernetes makes no more pods of it; null = it does. */
  readonly podsRefused: string | null;
  /** spec.replicas does not move toward its target: it is planned with what that says. */
  readonly notFollowed: boolean;
  /** When it is tried again, at the latest (Unix s); null = it is followed. */
  readonly triedAgainAt: number | null;
  /** The difference to its target is within its autoscaler's tolerance. */
  readonly heldByTolerance: boolean;
  /** Share of the model's demand outside the grid of its profile; null = there is no plan to make, or no profile. */
  readonly extrapolatedShare: number | null;
  /** What of the demand lies above that grid; null = nothing, or there is no plan to make. */
  readonly beyondGrid: { readonly share: number; readonly largest: string } | null;
  /** Why its newest profile is not followed; null = it is. */
  readonly profileProblem: string | null;
}

export const variantReport = (
  deployment: string,
  { startups, outage, following }: Observed,
  { replicas, last, pace, refused }: Pick<Sight, 'replicas' | 'last' | 'pace' | 'refused'>,
  judged: Pick<VariantReport, 'extrapolatedShare' | 'beyondGrid' | 'profileProblem'>,
  settings: ObserveSettings,
  now: number,
): VariantReport => ({
  deployment,
  startupSeconds: startupSeconds(startups, settings.startupSeconds),
  outOfStock: mostOf(outage, now) !== null,
  podsRefused: refused,
  notFollowed: isFixed(following),
  triedAgainAt: following?.fixedUntil ?? null,
  heldByTolerance: last !== null && heldByTolerance(replicas, last.replicas, pace),
  ...judged,
});
