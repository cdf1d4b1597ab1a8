import type { Bounds } from '../../cluster/bounds.ts';
import type { Plan, Snapshot, Variant } from '../../vocabulary/planning-documents.ts';
import type { Limits } from '../plan/stock-limits.ts';

/** A plan within limits that are only guesses, and what it was made from. */
export interface GuessedPlan {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  readonly limits: Pick<Limits, 'guessed'>;
  /** Bounds of the variants that are capped because their pods find no place, as they would be without that. */
  readonly capped: ReadonlyMap<string, Bounds>;
}

/**
 * One replica beyond the plan for each variant that would have more if the guessed limits did not stand: the scheduler then
 * has a Pending pod, by which a node autoscaler sees that a Node is missing, and gpumix that there is one again. The plan
 * does not count on it.
 * @returns replicas to ask for, by variant
 */
export const wishesOf = (
  { snapshot, plan, limits, capped }: GuessedPlan,
  solve: (snapshot: Snapshot) => Plan,
): ReadonlyMap<string, number> => {
  const replicas = replicasOf(plan);
  const all = snapshot.models.flatMap(({ variants }) => variants);
  const used = (type: string) =>
    all.reduce(
      (sum, { name, gpu, gpusPerReplica }) => sum + (gpu === type ? gpusPerReplica * (replicas[name] ?? 0) : 0),
      0,
    );
  const left = new Map([...limits.guessed].map((type) => [type, (snapshot.stock[type] ?? 0) - used(type)]));
  const held = all.filter(
    ({ name, gpu, gpusPerReplica, maxReplicas }) =>
      (left.get(gpu) ?? Number.POSITIVE_INFINITY) < gpusPerReplica ||
      (capped.has(name) && replicas[name] === maxReplicas),
  );
  if (held.length === 0) return new Map();
  const free = replicasOf(solve(withoutGuesses(snapshot, limits, capped)));
  return new Map(
    held.flatMap(({ name }) => {
      const planned = replicas[name] ?? 0;
      return (free[name] ?? 0) > planned ? [[name, planned + 1] as const] : [];
    }),
  );
};

const withoutGuesses = (
  snapshot: Snapshot,
  { guessed }: Pick<Limits, 'guessed'>,
  capped: ReadonlyMap<string, Bounds>,
): Snapshot => ({
  ...snapshot,
  stock: Object.fromEntries(Object.entries(snapshot.stock).filter(([type]) => !guessed.has(type))),
  models: snapshot.models.map((model) => ({
    ...model,
    variants: model.variants.map((variant): Variant => ({ ...variant, ...capped.get(variant.name) })),
  })),
});

const replicasOf = ({ models }: Plan): Readonly<Record<string, number>> =>
  Object.assign({}, ...models.map((model) => model.replicas));
