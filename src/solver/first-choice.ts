import { type Choice, choose } from './choice.ts';
import type { Column } from './partial-choices.ts';
import type { Priced, PricedFleet } from './priced-fleet.ts';
import { repaired } from './repair.ts';
import { stateWork } from './work-budget.ts';

/** Share of the work left that one choice may take, and that making one fit may take. */
export const choiceShare = 0.3;
const repairShare = 0.7;
const fewStates = 30;
export const manyStates = 400;
/** A choice this far above the bound (share) is worth a wider look. */
const poorGap = 5e-4;
/** Times that mixes are asked for at raised prices, and the first rise (share of a GPU's price in the mean). */
const repairRounds = 12;
const firstRise = 0.05;
/** Share of a repair's work that exchanges among the columns at hand may take. */
const exchangeShare = 0.3;

/** A choice among the columns at hand that is within the stock, near the bound where that is soon seen; null = none was found. */
export const firstChoice = (priced: PricedFleet, at: Priced): Choice | null => {
  const columns = priced.columnsAt(at);
  const affordable = statesWithin(columns, (choiceShare * priced.work.left) / stateWork);
  const chosen = (states: number) =>
    choose(columns, priced.fleet.stock, at.poolPrices, Number.POSITIVE_INFINITY, Math.min(states, affordable), priced.work)
      .choice;
  const few = chosen(fewStates);
  if (few !== null && few.cost <= at.bound * (1 + poorGap)) return few;
  return chosen(manyStates) ?? few ?? fitted(priced, at);
};

export const isPoor = (choice: Choice | null, bound: number): boolean => choice === null || choice.cost > bound * (1 + poorGap);

/** States of a choice, so that it takes no more than so many steps (state x column). */
export const statesWithin = (lists: readonly (readonly Column[])[], mostSteps: number): number =>
  Math.min(20_000, Math.max(1, Math.ceil(mostSteps / lists.reduce((sum, list) => sum + list.length, 1))));

/**
 * A choice made to fit by exchanges. The pools that stay overdrawn are dearer in the next round, twice as much each time: every
 * model is asked for one more mix at these prices.
 */
const fitted = (priced: PricedFleet, at: Priced): Choice | null => {
  const { stock } = priced.fleet;
  const work = priced.work.part(repairShare);
  const meanPrice =
    at.bound /
    Math.max(
      1,
      stock.reduce((sum, gpus) => sum + gpus, 0),
    );
  const raised = at.poolPrices.slice();
  const rise = at.poolPrices.map((price) => firstRise * (price + meanPrice));
  for (let round = 0; round < repairRounds && !work.spent; round++) {
    const { choice, left } = repaired(priced.columnsAt(at), stock, work.part(exchangeShare));
    if (choice !== null) return choice;
    for (let k = 0; k < raised.length; k++) {
      if (left[k]! >= 0) continue;
      raised[k]! += rise[k]!;
      rise[k]! *= 2;
    }
    priced.meet(raised, work.part(1 / (repairRounds - round)));
  }
  return null;
};
