import { type BranchOptions, type BranchResult, branch } from './branch.ts';
import { type NumberBound, NumberBounds } from './number-bounds.ts';
import { leastSaving, type Program, provesOptimal } from './program.ts';
import { sameCost } from './tolerances.ts';

/** Share of the nodes left that one number of replicas may take. */
const shareOfOne = 0.6;

/**
 * Branch and bound by how many replicas there are in all, for types that are alike. Of those a replica of one does nearly what
 * one of another does: a bound on one type moves its load to the next, and the node's bound stays. That there are no 44.3
 * replicas is what counts, and no bound of a single type says it.
 *
 * For each number n the mixes of n replicas are a search of their own, at prices less mu (number-bounds.ts), with mu n added to
 * its bounds. What it rounds up counts at the true prices, however many replicas that has. The numbers below and above those of
 * the relaxation are searched in the order of their bounds, until these pass the incumbent on either side. Where these bounds
 * close little of the gap the types differ, and null is the answer.
 *
 * Six types within 5 % of each other: the relaxation has 44.3 replicas and costs 146.28, with 44, 45 and 46 of them
 * 147.61, 147.16 and 149.26, and 147.18 is the least cost. Type by type 200,000 nodes prove 146.28 and find 147.39; so
 * 15,000 prove 147.18.
 *
 * @param first what is known so far, and how many nodes that took
 * @param worthwhile share of its gap that the bounds of whole numbers must close
 */
export const branchByNumber = (
  program: Program,
  loads: Float64Array,
  options: BranchOptions,
  first: BranchResult,
  worthwhile: number,
): BranchResult | null => {
  const numbers = new NumberBounds(program, loads, options.work);
  const { unit, gapTolerance, prefers, work } = options;
  let best = first;
  let searched = 0;
  let bound = Number.POSITIVE_INFINITY;
  const cutoff = (): number =>
    best.mix === null ? Number.POSITIVE_INFINITY : best.cost - Math.max(leastSaving(unit), best.cost * gapTolerance);
  const left = (): number => options.nodeLimit - searched - numbers.solves;
  const next: [NumberBound, NumberBound] = [numbers.below(cutoff()), numbers.above(cutoff())];
  const closed = Math.min(next[0].bound, next[1].bound) - first.bound;
  if (best.mix !== null && closed < worthwhile * (best.cost - first.bound)) return null;
  for (;;) {
    const side = next[0].bound <= next[1].bound ? 0 : 1;
    const { n, mu, bound: least } = next[side];
    if (least === Number.POSITIVE_INFINITY) break;
    if (least > cutoff() || left() <= 0 || work?.spent) {
      bound = Math.min(bound, least);
      break;
    }
    const result = branch({ ...program, prices: numbers.pricesLess(mu) }, loads, {
      ...options,
      nodeLimit: Math.ceil(shareOfOne * left()),
      ...(work === undefined ? {} : { work: work.part(shareOfOne) }),
      known: best.mix,
      trusted: true,
      shift: { prices: program.prices, constant: mu * n },
    });
    searched += result.nodes;
    bound = Math.min(bound, Math.max(least, result.bound));
    best = cheaperOf(best, result, prefers);
    next[side] = numbers.at(n + (side === 0 ? -1 : 1), cutoff());
  }
  const nodes = first.nodes + searched + numbers.solves;
  bound = Math.max(first.bound, bound);
  if (best.mix === null) return { ...best, status: bound === Number.POSITIVE_INFINITY ? 'infeasible' : 'stopped', bound, nodes };
  const proven = bound > best.cost - leastSaving(unit) || provesOptimal(bound, best.cost);
  return { ...best, status: proven ? 'optimal' : 'feasible', bound: proven ? best.cost : Math.min(bound, best.cost), nodes };
};

/** Of two results the one with the better mix; the first where the second has the same. */
export const cheaperOf = (a: BranchResult, b: BranchResult, prefers: BranchOptions['prefers']): BranchResult => {
  if (b.mix === null) return a;
  if (a.mix === null || b.cost < a.cost * (1 - sameCost)) return b;
  return b.cost <= a.cost * (1 + sameCost) && prefers(b.mix, a.mix) ? b : a;
};
