import { atLower, atUpper } from './forest.ts';
import type { Relaxation } from './relaxation.ts';

/**
 * Draws the bounds of a node in to where mixes within the cutoff may lie, by the prices pi of its solved relaxation.
 *
 * L(pi) counts a y at its lower bound with (price - pi) lower. A mix with more of it costs at least
 * L + (price - pi) (y - lower), so y <= lower + (cutoff - L) / (price - pi); likewise down from an upper bound.
 *
 * With L = 6.6, a cutoff of 7 and A at its lower bound, price 4 and pi 3.7: (7 - 6.6) / 0.3 = 1.3, at most one A more.
 */
export const drawIn = ({ program, lower, upper, forest, bound }: Relaxation, cutoff: number): void => {
  const { types, prices } = program;
  const { pi, status } = forest;
  const room = cutoff - bound + 1e-9 * Math.abs(bound);
  if (room === Number.POSITIVE_INFINITY) return;
  for (let g = 0; g < types; g++) {
    const margin = prices[g]! - pi[g]!;
    const replicas = Math.floor(room / Math.abs(margin));
    if (status[g] === atLower && margin > 0) upper[g] = Math.min(upper[g]!, lower[g]! + replicas);
    else if (status[g] === atUpper && margin < 0) lower[g] = Math.max(lower[g]!, upper[g]! - replicas);
  }
};
