import type { Fleet, FleetModel } from './fleet.ts';

/** Models of one priority. */
export interface Level {
  readonly models: readonly number[];
}

/** Highest priority first. */
export const levelsOf = (fleet: Fleet): readonly Level[] =>
  [...new Set(fleet.models.map(({ priority }) => priority))]
    .sort((a, b) => b - a)
    .map((priority) => ({
      models: fleet.models.flatMap((model, m) => (model.priority === priority ? [m] : [])),
    }));

/** What costs nothing is served first, at a rate that can be compared (money/h). */
const leastCost = 1e-12;

/** Requests per second over what they cost where each class goes to its cheapest variant (per money/h). */
export const requestsPerMoney = ({ rates, ways, variants }: FleetModel): number => {
  const costs = ways.map(({ loads }) =>
    rates.reduce((sum, _, c) => sum + Math.min(...variants.map(({ price }, g) => price * loads[c * variants.length + g]!)), 0),
  );
  const requests = rates.reduce((sum, rate) => sum + rate, 0);
  return requests / Math.max(leastCost, Math.min(...costs));
};
