import type { Pace } from '../../cluster/pace.ts';
import { fixedReplicas, type ModelDeployment } from '../../cluster/variant.ts';
import { beyondGrid, extrapolatedShare } from '../../profiles/served-demand.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { DemandRow } from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Candidate } from './candidates.ts';
import { attainableReplicas, type Outage, outageAfter, podCount } from './missing-pods.ts';
import { noStartups, patienceSeconds, type ReplicaPod, type Startups, startupSeconds, startupsAfter } from './startups.ts';
import { type Following, type FollowSettings, followingAfter, isUnfollowed, withinTolerance } from './target-following.ts';

/** How one Deployment behaves: how its pods start, whether they come, whether its target is followed. */
export interface DeploymentBehaviour {
  readonly startups: Startups;
  readonly outage: Outage | null;
  readonly following: Following | null;
}

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
  readonly last: Decision | null;
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
  before: ReadonlyMap<string, DeploymentBehaviour>,
  settings: BehaviourSettings,
): ReadonlyMap<string, DeploymentBehaviour> =>
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
  const last = decisions.get(key);
  return {
    pods: pods === undefined ? null : (pods.get(key) ?? []),
    replicas: deployment.replicas,
    last: last === undefined || last.restored === true ? null : last,
    pace: paces?.get(key) ?? null,
    podsRefused: deployment.podsRefused,
    fixedByHand: fixedReplicas(deployment, now) !== null,
  };
};

const behaviourAfter = (
  before: DeploymentBehaviour | undefined,
  { pods, replicas, last, pace, podsRefused, fixedByHand }: Look,
  settings: BehaviourSettings,
  now: number,
): DeploymentBehaviour => {
  const { startups = noStartups, outage = null, following = null } = before ?? {};
  const followed = (): Following | null =>
    fixedByHand ? null : followingAfter(following, replicas, last?.replicas ?? null, pace, settings, now);
  if (pods === null) return { startups, outage: null, following: followed() };
  const counted = podCount(pods, patienceSeconds(startups, settings.startupSeconds), outage, now);
  // Pods that cannot even be made do not come either.
  const count = podsRefused !== null && pods.length < replicas ? { ...counted, out: true } : counted;
  return {
    startups: startupsAfter(startups, pods, count.late, now),
    outage: fixedByHand ? null : outageAfter(outage, count, now),
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
  readonly withinTolerance: boolean;
  /** Share of the model's demand outside the grid of its profile; null = there is no plan to make, or no profile. */
  readonly extrapolatedShare: number | null;
  /** What of the demand lies above that grid; null = nothing, or there is no plan to make. */
  readonly beyondGrid: { readonly share: number; readonly largest: string } | null;
  /** Why its newest profile is not followed; null = it is. */
  readonly profileProblem: string | null;
}

/** @param demand of the model; null = there is no plan to make */
export const variantReports = (
  deployments: readonly ModelDeployment[],
  candidates: readonly Candidate[],
  demand: readonly DemandRow[] | null,
  reading: DeploymentReading & { readonly profileProblems: ReadonlyMap<string, string> },
  decisions: ReadonlyMap<string, Decision>,
  behaviours: ReadonlyMap<string, DeploymentBehaviour>,
  settings: BehaviourSettings,
): readonly VariantReport[] =>
  deployments.map((deployment) => {
    const key = deploymentKey(deployment);
    const profile = candidates.find((candidate) => candidate.key === key)?.profile;
    const comparable = profile !== undefined && demand !== null;
    const beyond = comparable ? beyondGrid(profile, demand) : null;
    const judged = {
      extrapolatedShare: comparable ? extrapolatedShare(profile, demand) : null,
      beyondGrid: beyond && { share: beyond.share, largest: sizeText(beyond.largest) },
      profileProblem: reading.profileProblems.get(key) ?? null,
    };
    return variantReport(key, behaviours.get(key)!, lookAt(key, reading, decisions), judged, settings, reading.now);
  });

const sizeText = ({ inputTokens, outputTokens }: DemandRow): string =>
  `${Math.round(inputTokens)} + ${Math.round(outputTokens)} tokens`;

const variantReport = (
  deployment: string,
  { startups, outage, following }: DeploymentBehaviour,
  { replicas, last, pace, podsRefused }: Pick<Look, 'replicas' | 'last' | 'pace' | 'podsRefused'>,
  judged: Pick<VariantReport, 'extrapolatedShare' | 'beyondGrid' | 'profileProblem'>,
  settings: BehaviourSettings,
  now: number,
): VariantReport => ({
  deployment,
  startupSeconds: startupSeconds(startups, settings.startupSeconds),
  outOfStock: attainableReplicas(outage, now) !== null,
  podsRefused,
  notFollowed: isUnfollowed(following),
  triedAgainAt: following?.unfollowedUntil ?? null,
  withinTolerance: last !== null && withinTolerance(replicas, last.replicas, pace),
  ...judged,
});
