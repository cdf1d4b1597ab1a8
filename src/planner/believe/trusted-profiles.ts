import type { Bounds } from '../../cluster/bounds.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import type { FoundProfile } from '../../profiles/profile-document.ts';
import { judgeProfile, type ProfileTrial, type TrialVerdict } from './profile-trial.ts';
import type { Shape } from './rates-and-shapes.ts';

interface Profiled {
  readonly deployments: ReadonlyMap<string, ModelDeployment>;
  readonly profiles: ReadonlyMap<string, FoundProfile>;
  readonly bounds: ReadonlyMap<string, Bounds>;
}

/**
 * What to make of the profile of each Deployment that has one, by `namespace/name`.
 * @param workPerRequest of what arrived, when it was last planned for (replica-seconds)
 */
export const profileVerdicts = (
  { deployments, profiles }: Pick<Profiled, 'deployments' | 'profiles'>,
  trials: ReadonlyMap<string, ProfileTrial>,
  shapes: ReadonlyMap<string, Shape>,
  workPerRequest: ReadonlyMap<string, number>,
): ReadonlyMap<string, TrialVerdict> =>
  new Map(
    [...profiles].flatMap(([key, found]) => {
      const deployment = deployments.get(key);
      if (deployment === undefined) return [];
      const name = [deployment.model, ...deployment.aliases].find((alias) => shapes.has(alias)) ?? '';
      const trial = trials.get(key);
      const before = trial && { ...trial, workPerRequest: workPerRequest.get(key) ?? trial.workPerRequest };
      return [[key, judgeProfile(before, found, shapes.get(name) ?? null, deployment.confirmedProfile)]];
    }),
  );

/** The profiles that are believed; of Deployments whose profile lowers nothing, spec.replicas is the least. */
export const profilesToPlanBy = (
  { deployments, bounds }: Pick<Profiled, 'deployments' | 'bounds'>,
  verdicts: ReadonlyMap<string, TrialVerdict>,
): Pick<Profiled, 'profiles' | 'bounds'> & {
  /** Why the newest profile of a Deployment is not followed; of those whose profile is followed there is none. */
  readonly profileProblems: ReadonlyMap<string, string>;
} => {
  const heldBounds = [...verdicts].flatMap(([key, { lowersNothing }]): [string, Bounds][] => {
    if (!lowersNothing) return [];
    const { minReplicas, maxReplicas } = bounds.get(key) ?? { minReplicas: 0, maxReplicas: null };
    const { replicas } = deployments.get(key)!;
    return [
      [
        key,
        {
          minReplicas: Math.max(minReplicas, replicas),
          maxReplicas: maxReplicas === null ? null : Math.max(maxReplicas, replicas),
          ...(replicas > minReplicas ? { heldBy: 'newProfile' as const } : {}),
        },
      ],
    ];
  });
  return {
    profiles: new Map([...verdicts].map(([key, { found }]) => [key, found])),
    bounds: heldBounds.length === 0 ? bounds : new Map([...bounds, ...heldBounds]),
    profileProblems: new Map([...verdicts].flatMap(([key, { problem }]) => (problem === null ? [] : [[key, problem]]))),
  };
};

/** What is remembered of profiles: also of those that are away for a while. */
export const trialsAfter = (
  before: ReadonlyMap<string, ProfileTrial>,
  verdicts: ReadonlyMap<string, TrialVerdict>,
  deployments: ReadonlyMap<string, ModelDeployment>,
): ReadonlyMap<string, ProfileTrial> =>
  new Map([
    ...[...before].filter(([key]) => deployments.has(key)),
    ...[...verdicts].map(([key, { trial }]) => [key, trial] as const),
  ]);
