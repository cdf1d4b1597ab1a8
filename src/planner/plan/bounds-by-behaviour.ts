import type { Bounds } from '../../cluster/bounds.ts';
import type { Plan } from '../../vocabulary/planning-documents.ts';
import type { Belief } from '../believe/believe.ts';
import type { Candidate } from '../believe/candidates.ts';
import { attainableReplicas } from '../believe/missing-pods.ts';
import { isUnfollowed } from '../believe/target-following.ts';

/** A model whose candidates are bound by how they behave: where pods do not come, to no more than what runs or still comes. */
export const withAttainableBounds = (belief: Belief, now: number): Belief => ({
  ...belief,
  candidates: belief.candidates.map((candidate) => {
    const most = attainableReplicas(belief.behaviours.get(candidate.key)?.outage ?? null, now);
    if (most === null) return candidate;
    const { minReplicas, maxReplicas } = candidate.bounds;
    const capped = Math.max(minReplicas, Math.min(maxReplicas ?? most, most));
    return capped === maxReplicas
      ? candidate
      : { ...candidate, bounds: { minReplicas, maxReplicas: capped, heldBy: 'outOfStock' } };
  }),
});

/** Of those that are bound to what runs or still comes, the bounds that they would have without it. */
export const boundsIfPodsCame = (models: readonly Belief[], now: number): ReadonlyMap<string, Bounds> =>
  new Map(
    models.flatMap(({ candidates, behaviours }) =>
      candidates.flatMap(({ key, bounds }) => {
        const behaviour = behaviours.get(key);
        const missing =
          behaviour !== undefined && !isUnfollowed(behaviour.following) && attainableReplicas(behaviour.outage, now) !== null;
        return missing ? [[key, bounds] as const] : [];
      }),
    ),
  );

/** Of Deployments whose targets are not followed, what the plan wants of them, by `namespace/name`. */
export const plannedOfUnfollowed = (models: readonly Belief[], plan: Plan | null): ReadonlyMap<string, number> => {
  const plannedReplicas: Readonly<Record<string, number>> = Object.assign(
    {},
    ...(plan?.models ?? []).map(({ replicas }) => replicas),
  );
  return new Map(
    models.flatMap(({ candidates, behaviours }) =>
      candidates.flatMap(({ key }) =>
        isUnfollowed(behaviours.get(key)?.following ?? null) && plannedReplicas[key] !== undefined
          ? [[key, plannedReplicas[key]]]
          : [],
      ),
    ),
  );
};

/** Whether it has less than is wanted of it, and does not follow. */
export const isLacking = ({ key, replicas }: Candidate, unfollowed: ReadonlyMap<string, number>): boolean =>
  replicas < (unfollowed.get(key) ?? 0);

/** A model whose Deployments that do not follow, and lack replicas, stay as they are. */
export const withUnfollowed = (belief: Belief, unfollowed: ReadonlyMap<string, number>): Belief => ({
  ...belief,
  candidates: belief.candidates.map((candidate) =>
    isLacking(candidate, unfollowed)
      ? { ...candidate, bounds: { minReplicas: candidate.replicas, maxReplicas: candidate.replicas, heldBy: 'notFollowed' } }
      : candidate,
  ),
});
