import { snapshotFor } from '../../src/simulation/capacity.ts';
import type { Policy } from '../../src/simulation/policy.ts';
import type { World } from '../../src/simulation/policy-run.ts';
import type { Plan, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import type { ClairvoyantInput } from './clairvoyant.ts';

export interface PathInput extends Pick<ClairvoyantInput, 'variants' | 'holdDownSeconds' | 'stepSeconds' | 'traffic'> {
  /** Whether replicas are started so early that they are Ready in time; else when they are first wanted. */
  readonly ahead: boolean;
}

/**
 * Follows a path of mixes, one for each step. A replica that is not wanted any more stays the hold-down time. The router follows
 * plans for the demand.
 */
export const pathPolicy = (
  name: string,
  { variants, holdDownSeconds, stepSeconds, traffic, ahead }: PathInput,
  mixes: readonly (readonly number[])[],
  world: Omit<World, 'initial'>,
): Policy => {
  let planned: { readonly snapshot: Snapshot; readonly plan: Plan } | null = null;
  const wanted = (g: number, from: number, until: number): number => {
    const some = mixes.slice(Math.max(0, Math.floor(from / stepSeconds)), Math.floor(until / stepSeconds) + 1);
    return Math.max(...(some.length === 0 ? [mixes.at(-1)!] : some).map((mix) => mix[g]!));
  };
  return {
    name,
    syncSeconds: 10,
    observe: async () => {},
    tick: async ({ now }) => {
      const snapshot = snapshotFor(traffic.demandAt(now), world);
      planned = { snapshot, plan: world.solve(snapshot) };
    },
    // One sync early, so that nothing is late.
    sync: ({ now }) =>
      new Map(
        variants.map(({ key, startupSeconds }, g) => [
          key,
          wanted(g, now - holdDownSeconds, ahead ? now + startupSeconds + 10 : now),
        ]),
      ),
    plan: () => planned,
  };
};
