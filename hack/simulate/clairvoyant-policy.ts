import { snapshotFor } from '../../src/simulation/capacity.ts';
import type { Policy } from '../../src/simulation/policy.ts';
import type { World } from '../../src/simulation/policy-run.ts';
import type { Plan, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import type { ClairvoyantInput, ClairvoyantPath } from './clairvoyant.ts';

/**
 * Somebody who knows the future and follows the bound's path: each replica is started so early that it is Ready in time, and
 * stays the hold-down time. The router follows plans for the true demand. What it attains is what mixes without headroom do.
 */
export const clairvoyantPolicy = (
  { variants, holdDownSeconds, stepSeconds, traffic }: ClairvoyantInput,
  { mixes }: ClairvoyantPath,
  world: Omit<World, 'initial'>,
): Policy => {
  let planned: { readonly snapshot: Snapshot; readonly plan: Plan } | null = null;
  const wanted = (g: number, from: number, until: number): number => {
    const some = mixes.slice(Math.max(0, Math.floor(from / stepSeconds)), Math.floor(until / stepSeconds) + 1);
    return Math.max(...(some.length === 0 ? [mixes.at(-1)!] : some).map((mix) => mix[g]!));
  };
  return {
    name: 'clairvoyant path',
    syncSeconds: 10,
    observe: async () => {},
    tick: async ({ now }) => {
      const snapshot = snapshotFor(traffic.demandAt(now), world);
      planned = { snapshot, plan: world.solve(snapshot) };
    },
    // One sync early, so that nothing is late.
    sync: ({ now }) =>
      new Map(variants.map(({ key, startupSeconds }, g) => [key, wanted(g, now - holdDownSeconds, now + startupSeconds + 10)])),
    plan: () => planned,
  };
};
