import type { Bounds } from '../../cluster/bounds.ts';
import type { Plan, Snapshot, Variant } from '../../vocabulary/planning-documents.ts';
import type { MakePlan } from '../plan/counted-plans.ts';
import type { Limits } from '../plan/stock-limits.ts';

/** A plan within limits that are only guesses, and what it was made from. */
export interface GuessedPlan {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly limits: Pick<Limits, 'guessed'>;
  /** Bounds of variants whose pods do not come, as they would be if they came. */
  readonly boundsIfPodsCame: ReadonlyMap<string, Bounds>;
}

/**
 * One replica beyond the plan for each variant that would have more if the guessed limits did not stand: the scheduler then
 * has a Pending pod, by which a node autoscaler sees that a Node is missing, and gpumix that there is one again. The plan
 * does not count on it.
 * @returns replicas to ask for, by variant
 */
export const extraReplicas = (
  { snapshot, plan, limits, boundsIfPodsCame }: GuessedPlan,
  whatIf: MakePlan,
): ReadonlyMap<string, number> => {
  const replicas = replicasOf(plan);
  const variants = snapshot.models.flatMap((model) => model.variants);
  const used = (type: string) =>
    variants.reduce((sum, { name, gpu, gpusPerReplica }) => sum + (gpu === type ? gpusPerReplica * (replicas[name] ?? 0) : 0), 0);
  const left = new Map([...limits.guessed].map((type) => [type, (snapshot.stock[type] ?? 0) - used(type)]));
  const short = variants.filter(
    ({ name, gpu, gpusPerReplica, maxReplicas }) =>
      (left.get(gpu) ?? Number.POSITIVE_INFINITY) < gpusPerReplica ||
      (boundsIfPodsCame.has(name) && replicas[name] === maxReplicas),
  );
  if (short.length === 0) return new Map();
  const free = replicasOf(whatIf(withoutGuesses(snapshot, limits, boundsIfPodsCame)));
  return new Map(
    short.flatMap(({ name }) => {
      const plannedReplicas = replicas[name] ?? 0;
      return (free[name] ?? 0) > plannedReplicas ? [[name, plannedReplicas + 1] as const] : [];
    }),
  );
};

const withoutGuesses = (
  snapshot: Snapshot,
  { guessed }: Pick<Limits, 'guessed'>,
  boundsIfPodsCame: ReadonlyMap<string, Bounds>,
): Snapshot => ({
  ...snapshot,
  stock: Object.fromEntries(Object.entries(snapshot.stock).filter(([type]) => !guessed.has(type))),
  models: snapshot.models.map((model) => ({
    ...model,
    variants: model.variants.map((variant): Variant => ({ ...variant, ...boundsIfPodsCame.get(variant.name) })),
  })),
});

const replicasOf = ({ models }: Plan): Readonly<Record<string, number>> =>
  Object.assign({}, ...models.map((model) => model.replicas));
