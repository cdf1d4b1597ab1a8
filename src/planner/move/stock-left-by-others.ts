import type { Model, Plan, Snapshot, Variant } from '../../vocabulary/planning-documents.ts';
import { poolsOf } from '../plan/gpu-pools.ts';

/**
 * Whether there is stock for what one variant has in a mix, which lists every variant of its model, beside the rest of the
 * mix.
 */
export type FitsInStock = (mix: ReadonlyMap<string, number>, variant: string) => boolean;

/**
 * Whether there is stock for the replicas of one variant, beside the others of its mix and what the other models have or are to
 * have, whichever is more. Only what that variant draws on is asked: elsewhere there may be more than there is room for, on a
 * Node that was lost, say.
 */
export const stockLeftByOthers = (snapshot: Snapshot, plan: Plan): ((model: Model) => FitsInStock) => {
  const plannedReplicas: Readonly<Record<string, number>> = Object.assign({}, ...plan.models.map(({ replicas }) => replicas));
  const taken = (variants: readonly Variant[]): number =>
    variants.reduce(
      (gpus, { name, gpusPerReplica, running }) => gpus + gpusPerReplica * Math.max(plannedReplicas[name] ?? 0, running ?? 0),
      0,
    );
  const everyVariant = snapshot.models.flatMap(({ variants }) => variants);
  const pools = poolsOf(snapshot).map((pool) => ({ pool, left: pool.gpus - taken(everyVariant.filter(pool.takes)) }));
  return ({ variants }) => {
    const own = pools.map(({ pool, left }) => {
      const takers = variants.filter(pool.takes);
      return { takers, left: left + taken(takers) };
    });
    return (mix, variant) =>
      own.every(
        ({ takers, left }) =>
          !takers.some(({ name }) => name === variant) ||
          takers.reduce((sum, { name, gpusPerReplica }) => sum + gpusPerReplica * (mix.get(name) ?? 0), 0) <= left,
      );
  };
};
