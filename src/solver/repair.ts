import type { Choice } from './choice.ts';
import type { Column } from './partial-choices.ts';
import { boundlessWork, stepWork, type WorkBudget } from './work-budget.ts';

/**
 * A choice within the stock where the dynamic program has lost all of them: every model starts with its best column, then the
 * exchange of one model's column, or of two models', that takes most GPUs off the pools that are overdrawn for what it adds to
 * the reduced cost, until none is overdrawn. Null where no exchange helps any more, or
 * with the work. Proves nothing.
 */
export const repaired = (
  columns: readonly (readonly Column[])[],
  stock: readonly number[],
  work: WorkBudget = boundlessWork,
): Choice | null => {
  if (columns.some((list) => list.length === 0)) return null;
  const picked = columns.map((list) => list[0]!);
  const left = Float64Array.from(stock, (gpus, k) => gpus - picked.reduce((sum, { use }) => sum + use[k]!, 0));
  const exchanges = columns.flatMap((list, m) => list.map((column) => ({ m, column })));
  let short = overdrawn(left);
  while (short > 0) {
    work.charge(stepWork * exchanges.length);
    const single = best(exchanges, picked, left, short);
    if (single === null) work.charge(stepWork * exchanges.length ** 2);
    if (work.spent) return null;
    const moves = single === null ? bestPair(exchanges, picked, left, short) : [single];
    if (moves === null) return null;
    for (const move of moves) take(move, picked, left);
    short = overdrawn(left);
  }
  for (let better = cheaper(exchanges, picked, left); better !== null; better = cheaper(exchanges, picked, left)) {
    take(better, picked, left);
    work.charge(stepWork * exchanges.length);
    if (work.spent) break;
  }
  return { columns: picked, cost: picked.reduce((sum, { cost }) => sum + cost, 0) };
};

/** A column for a model instead of the one that it has. */
interface Exchange {
  readonly m: number;
  readonly column: Column;
}

/** GPUs by which pools are overdrawn, with an exchange if one is given. */
const overdrawn = (left: Float64Array, now: Column | null = null, then: Column | null = null): number => {
  let short = 0;
  for (let k = 0; k < left.length; k++) {
    const rest = now === null ? left[k]! : left[k]! + now.use[k]! - then!.use[k]!;
    if (rest < 0) short -= rest;
  }
  return short;
};

const take = ({ m, column }: Exchange, picked: Column[], left: Float64Array): void => {
  for (let k = 0; k < left.length; k++) left[k]! += picked[m]!.use[k]! - column.use[k]!;
  picked[m] = column;
};

/** Money/h for a GPU less overdrawn; what costs nothing still counts a trifle. */
const price = (reduced: number, gpus: number): number => (Math.max(0, reduced) + 1e-6) / gpus;

const best = (exchanges: readonly Exchange[], picked: readonly Column[], left: Float64Array, short: number): Exchange | null => {
  let [found, least]: [Exchange | null, number] = [null, Number.POSITIVE_INFINITY];
  for (const exchange of exchanges) {
    const now = picked[exchange.m]!;
    const gain = short - overdrawn(left, now, exchange.column);
    if (gain <= 0) continue;
    const dear = price(exchange.column.reduced - now.reduced, gain);
    if (dear < least) [found, least] = [exchange, dear];
  }
  return found;
};

const bestPair = (
  exchanges: readonly Exchange[],
  picked: Column[],
  left: Float64Array,
  short: number,
): readonly Exchange[] | null => {
  let [found, least]: [readonly Exchange[] | null, number] = [null, Number.POSITIVE_INFINITY];
  const after = new Float64Array(left.length);
  for (const first of exchanges) {
    const now = picked[first.m]!;
    if (first.column === now) continue;
    for (let k = 0; k < left.length; k++) after[k] = left[k]! + now.use[k]! - first.column.use[k]!;
    if (overdrawn(after) > short + 8) continue;
    for (const second of exchanges) {
      if (second.m <= first.m) continue;
      const other = picked[second.m]!;
      const gain = short - overdrawn(after, other, second.column);
      if (gain <= 0) continue;
      const dear = price(first.column.reduced - now.reduced + second.column.reduced - other.reduced, gain);
      if (dear < least) [found, least] = [[first, second], dear];
    }
  }
  return found;
};

/** The exchange that saves most and overdraws nothing. */
const cheaper = (exchanges: readonly Exchange[], picked: readonly Column[], left: Float64Array): Exchange | null => {
  let [found, most]: [Exchange | null, number] = [null, 1e-9];
  for (const exchange of exchanges) {
    const now = picked[exchange.m]!;
    const saves = now.cost - exchange.column.cost;
    if (saves > most && overdrawn(left, now, exchange.column) === 0) [found, most] = [exchange, saves];
  }
  return found;
};
