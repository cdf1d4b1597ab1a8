import type { Bounds } from '../../cluster/bounds.ts';
import type { Snapshot } from '../../vocabulary/planning-documents.ts';
import type { Shape } from '../../workload/rates.ts';
import { type Judged, judgeProfile, type Trial } from './profile-trial.ts';
import type { Reading } from './believe.ts';

/** What to make of the profile of each Deployment that has one, by `namespace/name`. */
export const judgedProfiles = (
  { deployments, profiles }: Pick<Reading, 'deployments' | 'profiles'>,
  trials: ReadonlyMap<string, Trial>,
  shapes: ReadonlyMap<string, Shape>,
): ReadonlyMap<string, Judged> =>
  new Map(
    [...profiles].flatMap(([key, found]) => {
      const deployment = deployments.get(key);
      if (deployment === undefined) return [];
      const name = [deployment.model, ...deployment.aliases].find((one) => shapes.has(one)) ?? '';
      return [[key, judgeProfile(trials.get(key), found, shapes.get(name) ?? null, deployment.confirmedProfile)]];
    }),
  );

/** The profiles that are believed; of Deployments whose profile lowers nothing, spec.replicas is the least. */
export const profilesToPlanBy = (
  { deployments, bounds }: Pick<Reading, 'deployments' | 'bounds'>,
  judged: ReadonlyMap<string, Judged>,
): Pick<Reading, 'profiles' | 'bounds' | 'profileProblems'> => {
  const standing = [...judged].flatMap(([key, { stands }]): [string, Bounds][] => {
    if (!stands) return [];
    const { minReplicas, maxReplicas } = bounds.get(key) ?? { minReplicas: 0, maxReplicas: null };
    const { replicas } = deployments.get(key)!;
    return [
      [
        key,
        {
          minReplicas: Math.max(minReplicas, replicas),
          maxReplicas: maxReplicas === null ? null : Math.max(maxReplicas, replicas),
        },
      ],
    ];
  });
  return {
    profiles: new Map([...judged].map(([key, { found }]) => [key, found])),
    bounds: standing.length === 0 ? bounds : new Map([...bounds, ...standing]),
    profileProblems: new Map([...judged].flatMap(([key, { problem }]) => (problem === null ? [] : [[key, problem]]))),
  };
};

/** What is remembered of profiles: also of those that are away for a while. @param loads of this tick, by Deployment */
export const trialsAfter = (
  before: ReadonlyMap<string, Trial>,
  judged: ReadonlyMap<string, Judged>,
  loads: readonly (readonly [string, number])[],
): ReadonlyMap<string, Trial> => {
  const trials = new Map(before);
  for (const [key, { trial }] of judged) trials.set(key, trial);
  for (const [key, load] of loads) {
    const trial = trials.get(key);
    if (trial !== undefined) trials.set(key, { ...trial, load });
  }
  return trials;
};

/** Replicas' worth of work of one request per second of each model's demand on each of its variants, where it is finite. */
export const loadsOf = (snapshot: Snapshot | null): ReadonlyMap<string, number> =>
  new Map(
    (snapshot?.models ?? []).flatMap(({ demand, variants }) => {
      const rate = demand.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
      return variants.flatMap(({ name, throughputBeyondSlo }): [string, number][] => {
        const load = demand.reduce((sum, { arrivalRate }, row) => sum + arrivalRate / throughputBeyondSlo[row]!, 0);
        return Number.isFinite(load / rate) ? [[name, load / rate]] : [];
      });
    }),
  );
