import type { Pace } from '../../cluster/pace.ts';
import { fixedReplicas, type ModelDeployment } from '../../cluster/variant.ts';
import type { Decision } from '../../vocabulary/target.ts';
import { type Outage, outageAfter, podCount } from './missing-pods.ts';
import { noStartups, patienceSeconds, type ReplicaPod, type Startups, startupsAfter } from './startups.ts';
import { type Following, type FollowSettings, followingAfter } from './target-following.ts';

/** How one Deployment behaves: how its pods start, whether they come, whether its target is followed. */
export interface ScalingBehaviour {
  readonly startups: Startups;
  readonly outage: Outage | null;
  readonly following: Following | null;
}

/** Of one that has not been looked at. */
export const unseen: ScalingBehaviour = { startups: noStartups, outage: null, following: null };

export interface BehaviourSettings extends FollowSettings {
  /** What a replica takes to start, until that is learned (s). */
  readonly startupSeconds: number;
}

/** One Deployment as of one tick. */
interface Look {
  /** Those that have not ended; null = pods are not looked at. */
  readonly pods: readonly ReplicaPod[] | null;
  /** spec.replicas. */
  readonly replicas: number;
  /** What was published last; null = nothing, or of an earlier leader. */
  readonly lastDecision: Decision | null;
  readonly pace: Pace | null;
  /** Why Kubernetes makes no more pods of it; null = it does. */
  readonly podsRefused: string | null;
  /** Somebody fixed it by hand: neither its pods nor its target are judged. */
  readonly fixedByHand: boolean;
}

export interface DeploymentReading {
  /** Unix s. */
  readonly now: number;
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  /** Pods of Deployments that have not ended; absent = pods are not looked at. */
  readonly pods?: ReadonlyMap<string, readonly ReplicaPod[]>;
  /** How the autoscaler of a Deployment goes about changes; absent = it has none. */
  readonly paces?: ReadonlyMap<string, Pace>;
}

/** How every Deployment behaved up to this tick. @param decisions what was decided last */
export const behavioursNow = (
  reading: DeploymentReading,
  decisions: ReadonlyMap<string, Decision>,
  before: ReadonlyMap<string, ScalingBehaviour>,
  settings: BehaviourSettings,
): ReadonlyMap<string, ScalingBehaviour> =>
  new Map(
    [...reading.deployments.keys()].map((key) => [
      key,
      behaviourAfter(before.get(key), lookAt(key, reading, decisions), settings, reading.now),
    ]),
  );

const lookAt = (
  key: string,
  { deployments, pods, paces, now }: DeploymentReading,
  decisions: ReadonlyMap<string, Decision>,
): Look => {
  const deployment = deployments.get(key)!;
  const decided = decisions.get(key);
  return {
    pods: pods === undefined ? null : (pods.get(key) ?? []),
    replicas: deployment.replicas,
    lastDecision: expectedToFollow(decided),
    pace: paces?.get(key) ?? null,
    podsRefused: deployment.podsRefused,
    fixedByHand: fixedReplicas(deployment, now) !== null,
  };
};

/** A decision that a Deployment is to follow by now: that of an earlier leader may not have reached it, or no longer. */
export const expectedToFollow = (decision: Decision | undefined): Decision | null =>
  decision === undefined || decision.restored === true ? null : decision;

const behaviourAfter = (
  before: ScalingBehaviour | undefined,
  { pods, replicas, lastDecision, pace, podsRefused, fixedByHand }: Look,
  settings: BehaviourSettings,
  now: number,
): ScalingBehaviour => {
  const { startups, outage, following } = before ?? unseen;
  const followed = (): Following | null =>
    fixedByHand ? null : followingAfter(following, replicas, lastDecision?.replicas ?? null, pace, settings, now);
  if (pods === null) return { startups, outage: null, following: followed() };
  const counted = podCount(pods, patienceSeconds(startups, settings.startupSeconds), outage, now);
  // Pods that cannot even be made do not come either.
  const count = podsRefused !== null && pods.length < replicas ? { ...counted, moreWouldNotCome: true } : counted;
  return {
    startups: startupsAfter(startups, pods, count.late, now),
    outage: fixedByHand ? null : outageAfter(outage, count, now),
    following: followed(),
  };
};
