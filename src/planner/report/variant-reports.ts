import type { Pace } from '../../cluster/pace.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import { beyondGrid, extrapolatedShare } from '../../profiles/served-demand.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { DemandRow } from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Belief } from '../believe/believe.ts';
import { attainableReplicas } from '../believe/missing-pods.ts';
import { expectedToFollow, unseen } from '../believe/scaling-behaviour.ts';
import { startupSeconds } from '../believe/startups.ts';
import { isUnfollowed, withinTolerance } from '../believe/target-following.ts';

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

/** What tells of a model's Deployments, beside what is believed of them. */
export interface VariantSources {
  /** Unix s. */
  readonly now: number;
  /** How the autoscaler of a Deployment goes about changes; absent = it has none. */
  readonly paces: ReadonlyMap<string, Pace> | undefined;
  /** What was decided last, by `namespace/name`. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** What a replica takes to start, until that is learned (s). */
  readonly startupSeconds: number;
}

/** What is said of each Deployment of a model. */
export const variantReports = (belief: Belief, sources: VariantSources): readonly VariantReport[] =>
  belief.deployments.map((deployment) => {
    const key = deploymentKey(deployment);
    const { startups, outage, following } = belief.behaviours.get(key) ?? unseen;
    return {
      deployment: key,
      startupSeconds: startupSeconds(startups, sources.startupSeconds),
      outOfStock: attainableReplicas(outage, sources.now) !== null,
      podsRefused: deployment.podsRefused,
      notFollowed: isUnfollowed(following),
      triedAgainAt: following?.unfollowedUntil ?? null,
      withinTolerance: isWithinTolerance(deployment, key, sources),
      ...ofProfile(key, belief),
    };
  });

const isWithinTolerance = ({ replicas }: ModelDeployment, key: string, { decisions, paces }: VariantSources): boolean => {
  const last = expectedToFollow(decisions.get(key));
  return last !== null && withinTolerance(replicas, last.replicas, paces?.get(key) ?? null);
};

/** How a Deployment's profile and the demand of its model fit together. */
const ofProfile = (
  key: string,
  { candidates, demand, profileProblems }: Belief,
): Pick<VariantReport, 'extrapolatedShare' | 'beyondGrid' | 'profileProblem'> => {
  const profile = candidates.find((candidate) => candidate.key === key)?.profile;
  const comparable = profile !== undefined && demand !== null;
  const beyond = comparable ? beyondGrid(profile, demand) : null;
  return {
    extrapolatedShare: comparable ? extrapolatedShare(profile, demand) : null,
    beyondGrid: beyond && { share: beyond.share, largest: sizeText(beyond.largest) },
    profileProblem: profileProblems.get(key) ?? null,
  };
};

const sizeText = ({ inputTokens, outputTokens }: DemandRow): string =>
  `${Math.round(inputTokens)} + ${Math.round(outputTokens)} tokens`;
