import type { Choice } from './choice.ts';
import type { Column } from './partial-choices.ts';
import { boundlessWork, stepWork, type WorkBudget } from './work-budget.ts';

/** Exchanges after which no choice is expected among the columns at hand. */
const mostExchanges = 300;
/** The first weight of an overdrawn GPU (share of what one costs in the mean): small, so that it grows to what is needed. */
const firstShare = 0.02;
/** An exchange that gains less (money/h) gains nothing, and could be undone by the next for ever. */
const leastGain = 1e-9;

/**
 * A choice within the stock by exchanges. Every model starts with its best column. Then the column of one model at a time is
 * exchanged: the exchange that lowers
 *
 *   sum of reduced costs + sum_k weight_k * (GPUs by which pool k is overdrawn)
 *
 * most. Where none lowers it, the overdrawn pools get more weight (breakout search: Morris, AAAI 1993). Once no pool is
 * overdrawn, exchanges that save money follow. It proves nothing.
 * @returns the choice; null where none was met, and then what the last exchanges leave of each pool (GPUs; below 0 = overdrawn)
 */
export const repaired = (
  columns: readonly (readonly Column[])[],
  stock: readonly number[],
  work: WorkBudget = boundlessWork,
): { readonly choice: Choice | null; readonly left: Float64Array } => {
  if (columns.some((list) => list.length === 0)) return { choice: null, left: Float64Array.from(stock) };
  const picked = columns.map((list) => list[0]!);
  const left = Float64Array.from(stock, (gpus, k) => gpus - picked.reduce((sum, { use }) => sum + use[k]!, 0));
  const exchanges = columns.flatMap((list, m) => list.map((column) => ({ m, column })));
  const first = firstWeight(picked);
  const weights = new Float64Array(stock.length).fill(first);
  for (let made = 0; left.some((gpus) => gpus < 0); made++) {
    work.charge(stepWork * exchanges.length);
    if (work.spent || made === mostExchanges) return { choice: null, left };
    const lowering = best(exchanges, (exchange) => -change(exchange, picked, left, weights));
    if (lowering !== null) take(lowering, picked, left);
    else for (let k = 0; k < weights.length; k++) if (left[k]! < 0) weights[k]! += first;
  }
  const saving = () => best(exchanges, ({ m, column }) => (fits(picked[m]!, column, left) ? picked[m]!.cost - column.cost : 0));
  for (let cheaper = saving(); cheaper !== null; cheaper = saving()) {
    take(cheaper, picked, left);
    work.charge(stepWork * exchanges.length);
    if (work.spent) break;
  }
  return { choice: { columns: picked, cost: picked.reduce((sum, { cost }) => sum + cost, 0) }, left };
};

/** A column for a model instead of the one that it has. */
interface Exchange {
  readonly m: number;
  readonly column: Column;
}

const firstWeight = (picked: readonly Column[]): number => {
  const cost = picked.reduce((sum, column) => sum + column.cost, 0);
  const gpus = picked.reduce((sum, { use }) => sum + use.reduce((more, own) => more + own, 0), 0);
  return cost > 0 && gpus > 0 ? (firstShare * cost) / gpus : 1;
};

const take = ({ m, column }: Exchange, picked: Column[], left: Float64Array): void => {
  for (let k = 0; k < left.length; k++) left[k]! += picked[m]!.use[k]! - column.use[k]!;
  picked[m] = column;
};

/** The exchange that gains most; null where none gains anything. */
const best = (exchanges: readonly Exchange[], gain: (exchange: Exchange) => number): Exchange | null => {
  let [found, most]: [Exchange | null, number] = [null, leastGain];
  for (const exchange of exchanges) {
    const gained = gain(exchange);
    if (gained > most) [found, most] = [exchange, gained];
  }
  return found;
};

/** By how much an exchange raises the weighted sum. */
const change = ({ m, column }: Exchange, picked: readonly Column[], left: Float64Array, weights: Float64Array): number => {
  const now = picked[m]!;
  let raised = column.reduced - now.reduced;
  for (let k = 0; k < left.length; k++) {
    const after = left[k]! + now.use[k]! - column.use[k]!;
    raised += weights[k]! * (Math.max(0, -after) - Math.max(0, -left[k]!));
  }
  return raised;
};

const fits = (now: Column, then: Column, left: Float64Array): boolean =>
  left.every((gpus, k) => gpus + now.use[k]! - then.use[k]! >= 0);
