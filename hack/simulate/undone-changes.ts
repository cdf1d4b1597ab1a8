import type { RunSample } from '../../src/simulation/policy-run.ts';

/** A change that is taken back so soon was for nothing (s). */
const soon = 15 * 60;

/**
 * Replicas that were added or taken away and were the other way round within 15 minutes, by what the samples show of
 * spec.replicas.
 */
export const undoneChanges = (samples: readonly RunSample[]): number => {
  const variants = Object.keys(samples[0]?.spec ?? {});
  return variants.reduce((sum, key) => sum + undoneOf(samples.map(({ time, spec }) => ({ time, replicas: spec[key] ?? 0 }))), 0);
};

const undoneOf = (path: readonly { readonly time: number; readonly replicas: number }[]): number => {
  let undone = 0;
  /** Changes that may still be taken back: when, and by how much. */
  let open: { readonly time: number; left: number }[] = [];
  for (const [index, { time, replicas }] of path.entries()) {
    let change = index === 0 ? 0 : replicas - path[index - 1]!.replicas;
    open = open.filter((one) => time - one.time <= soon && one.left !== 0);
    for (const one of open.toReversed()) {
      if (Math.sign(one.left) !== -Math.sign(change)) continue;
      const back = Math.min(Math.abs(one.left), Math.abs(change));
      undone += back;
      one.left -= Math.sign(one.left) * back;
      change -= Math.sign(change) * back;
    }
    if (change !== 0) open.push({ time, left: change });
  }
  return undone;
};
