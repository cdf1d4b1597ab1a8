import type { Plan, Snapshot } from '../../vocabulary/planning-documents.ts';
import { poolsOf } from '../plan/gpu-pools.ts';

/**
 * Whether there is stock for the replicas of one variant, beside the others of its mix and what the other models have or are to
 * have, whichever is more. Only what that variant draws on is asked: elsewhere there may be more than there is room for, on a Node
 * that was lost, say.
 * @returns a function of a mix, which lists every variant of the model, and the variant
 */
export const fitsBeside = (
  snapshot: Snapshot,
  plan: Plan,
  model: string,
): ((mix: ReadonlyMap<string, number>, variant: string) => boolean) => {
  const planned: Readonly<Record<string, number>> = Object.assign({}, ...plan.models.map(({ replicas }) => replicas));
  const own = snapshot.models.filter(({ name }) => name === model).flatMap(({ variants }) => variants);
  const others = snapshot.models.filter(({ name }) => name !== model).flatMap(({ variants }) => variants);
  const pools = poolsOf(snapshot).map((pool) => ({
    takers: own.filter(pool.takes),
    left: others
      .filter(pool.takes)
      .reduce((gpus, one) => gpus - one.gpusPerReplica * Math.max(planned[one.name] ?? 0, one.running ?? 0), pool.gpus),
  }));
  return (mix, variant) =>
    pools.every(
      ({ takers, left }) =>
        !takers.some(({ name }) => name === variant) ||
        takers.reduce((sum, { name, gpusPerReplica }) => sum + gpusPerReplica * (mix.get(name) ?? 0), 0) <= left,
    );
};
