import { Forest } from './price-forest.ts';
import type { Program } from './program.ts';
import { wholeReplicas } from './program.ts';
import { drawIn, Relaxation, type RelaxationStatus } from './relaxation.ts';
import { roundingTolerance } from './tolerances.ts';
import type { WorkBudget } from './work-budget.ts';

/**
 * Every minimal mix that costs at most `cutoff`: one from which no replica can be taken. Incomplete where `nodeLimit`
 * or the work ended it first.
 *
 * The search is that of branch.ts with a cutoff that stays. Where the lower corner of a node carries the demand it is the
 * node's only minimal mix. Else some type needs more than its lower bound, and the node is divided there.
 */
export const enumerateMixes = (
  program: Program,
  loads: Float64Array,
  cutoff: number,
  nodeLimit: number,
  found: (mix: Float64Array) => void,
  work?: WorkBudget,
): { readonly complete: boolean; readonly nodes: number } => {
  const relaxation = new Relaxation(program, loads, work);
  const { lower, upper, forest } = relaxation;
  const saved: Forest[] = [];
  /** Per depth lower, then upper, before they were drawn in. */
  const ranges: Float64Array[] = [];
  let nodes = 0;
  let complete = true;
  const visit = (depth: number): void => {
    if (nodes >= nodeLimit || work?.spent) {
      complete = false;
      return;
    }
    nodes++;
    const status = relaxation.solve(cutoff);
    if (status === 'infeasible' || status === 'cutoff' || relaxation.bound > cutoff) return;
    ranges[depth] ??= new Float64Array(2 * program.types);
    const before = ranges[depth];
    before.set(lower);
    before.set(upper, program.types);
    if (status === 'optimal') drawIn(relaxation, cutoff);
    const at = status === 'optimal' ? divided(relaxation) : widest(program, lower, upper);
    if (at >= 0 && lower[at] === upper[at]) complete = false;
    else if (at < 0) found(corner(relaxation));
    else divide(depth, status, at);
    lower.set(before.subarray(0, program.types));
    upper.set(before.subarray(program.types));
  };
  const divide = (depth: number, status: RelaxationStatus, at: number): void => {
    const v = status === 'optimal' ? wholeReplicas(relaxation.replicas(at)) : Math.floor((lower[at]! + upper[at]!) / 2) + 1;
    saved[depth] ??= new Forest(program.types, program.classes);
    saved[depth].copyFrom(forest);
    const [least, most] = [lower[at]!, upper[at]!];
    upper[at] = v - 1;
    visit(depth + 1);
    upper[at] = most;
    forest.copyFrom(saved[depth]);
    lower[at] = v;
    visit(depth + 1);
    lower[at] = least;
  };
  visit(0);
  return { complete, nodes };
};

/** The dearest type that needs more than its lower bound, a fractional one first; -1 = the lower corner carries all. */
const divided = (relaxation: Relaxation): number => {
  const { lower, program } = relaxation;
  const { prices, fluid } = program;
  let [at, worst] = [-1, 0];
  for (let g = 0; g < prices.length; g++) {
    if (g === fluid) continue;
    const y = relaxation.replicas(g);
    const whole = wholeReplicas(y);
    if (whole <= lower[g]!) continue;
    const fractional = whole - y > roundingTolerance * whole;
    const weight = prices[g]! * (fractional ? 1e6 : 1);
    if (weight > worst) [at, worst] = [g, weight];
  }
  return at;
};

/** The lower corner, with as much that is fluid as it leaves over. */
const corner = (relaxation: Relaxation): Float64Array => {
  const { lower, program } = relaxation;
  const mix = lower.slice();
  if (program.fluid !== undefined) mix[program.fluid] = relaxation.replicas(program.fluid);
  return mix;
};

const widest = ({ fluid }: Program, lower: Float64Array, upper: Float64Array): number =>
  lower.reduce(
    (best, _, g) => (g !== fluid && upper[g]! - lower[g]! > upper[best]! - lower[best]! ? g : best),
    fluid === 0 ? 1 : 0,
  );
