import type { EngineSamples } from '../cluster/engine-samples.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import { type Drift, disagrees, driftOf } from '../profiles/drift.ts';
import type { FoundProfile } from '../profiles/profile-document.ts';
import { ownerKey } from '../vocabulary/deployment-key.ts';

/** What is known of how well profiles agree with what engines serve. */
export interface DriftWatch {
  /** Looks at the engines in the background and compares; answers which profiles disagree, one line each. */
  compare(pods: Iterable<DeploymentPod>, profiles: ReadonlyMap<string, FoundProfile>): readonly string[];
  /** By `namespace/deployment`; of those that nothing is known of there is none. */
  drifts(): ReadonlyMap<string, Drift>;
}

/** @param samples null = engines are not asked, and nothing is known. @param clock Unix seconds */
export const watchDrift = (samples: EngineSamples | null, clock: () => number): DriftWatch => {
  let drifts: ReadonlyMap<string, Drift> = new Map();
  return {
    compare: (pods, profiles) => {
      if (samples === null) return [];
      const profiled = [...pods].filter((pod) => profiles.has(ownerKey(pod)));
      samples.observe(profiled, clock);
      drifts = driftsOf(samples, profiled, profiles, clock());
      return [...drifts]
        .filter(([, drift]) => disagrees(drift))
        .map(([key, drift]) => `${key}: ${disagreement(drift)} (${profiles.get(key)!.source}): measure it again`);
    },
    drifts: () => drifts,
  };
};

/** How far profiles disagree with what was served of late, by `namespace/deployment`. @param now by the clock of the samples */
export const driftsOf = (
  samples: EngineSamples,
  pods: readonly DeploymentPod[],
  profiles: ReadonlyMap<string, FoundProfile>,
  now: number,
): ReadonlyMap<string, Drift> => {
  const byDeployment = Map.groupBy(pods, ownerKey);
  return new Map(
    [...profiles].flatMap(([key, { profile }]) => {
      const served = samples.served(byDeployment.get(key) ?? [], now);
      const drift = served === null ? null : driftOf(profile, served);
      return drift === null ? [] : [[key, drift] as const];
    }),
  );
};

/** Without rates, which change all the time: a problem is said once. */
const disagreement = ({ ratio }: Drift): string =>
  ratio > 1 ? 'serves more within the SLO than its profile says' : 'misses the SLO though it serves less than its profile says';
