import { expect, test } from 'vitest';
import { plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { fleetOfSnapshot } from '../../src/planner/plan/plan-of-snapshot.ts';
import { type Fleet, type FleetVariant, mixCost, prepared } from '../../src/solver/fleet.ts';
import { sensitivity } from '../../src/solver/sensitivity.ts';
import { type Outcome, solve } from '../../src/solver/solve.ts';
import { routerKnowledges, servesAll } from '../../src/vocabulary/planning-documents.ts';
import { smallSnapshot } from './snapshots.ts';

const worthMentioning = 1e-9;

/** Small fleets with an optimal plan; a sixth of them several models on just enough stock. */
const fleets = Array.from({ length: 200 }, (_, i): Fleet => {
  if (i % 6 === 5) return plantedFleet(70_000 + i, { models: 3, types: 3, classes: 5, quota: i % 4 === 1 }).fleet;
  return fleetOfSnapshot(smallSnapshot(90_000 + i, routerKnowledges[i % 4]!).snapshot).fleet;
}).flatMap((fleet) => {
  const outcome = solve(fleet);
  return outcome.status === 'optimal' ? [{ fleet, outcome, answers: sensitivity(fleet, outcome) }] : [];
});

const costOf = (fleet: Fleet, { models }: Outcome): number =>
  models.reduce((sum, { mix }, m) => sum + mixCost(prepared(fleet).fleet.models[m]!, mix), 0);

/** What a changed fleet costs less; 0 where it does not serve all or saves no more than rounding. */
const savedBy = (fleet: Fleet, outcome: Outcome, changed: Fleet): number => {
  const other = solve(changed);
  const saves = servesAll(other) ? costOf(fleet, outcome) - costOf(fleet, other) : 0;
  return saves > worthMentioning * costOf(fleet, outcome) ? saves : 0;
};

/** The fleet with every other model held at its mix, and the variants of this one changed. */
const others = (
  { fleet, outcome }: { fleet: Fleet; outcome: Outcome },
  m: number,
  change: (variant: FleetVariant, g: number) => FleetVariant,
): Fleet => ({
  ...fleet,
  models: fleet.models.map((model, at) => ({
    ...model,
    previous: null,
    variants: model.variants.map((variant, g) => {
      const replicas = outcome.models[at]!.mix[g]!;
      return at === m ? change(variant, g) : { ...variant, lower: replicas, upper: replicas };
    }),
  })),
});

test('stock: the least number of GPUs more that saves anything, up to the largest replica, and what it saves', () => {
  let found = 0;
  for (const { fleet, outcome, answers } of fleets)
    for (const pool of fleet.stock.keys()) {
      const takers = fleet.models.flatMap(({ variants }) => variants.filter(({ pools }) => pools.includes(pool)));
      const counts = Array.from({ length: Math.max(0, ...takers.map(({ gpus }) => gpus)) }, (_, i) => i + 1);
      const more = (gpus: number) => ({ ...fleet, stock: fleet.stock.map((count, k) => (k === pool ? count + gpus : count)) });
      const least = counts.map((gpus) => ({ gpus, saves: savedBy(fleet, outcome, more(gpus)) })).find(({ saves }) => saves > 0);
      const said = answers.stock.find((one) => one.pool === pool);
      expect(said?.gpus).toBe(least?.gpus);
      expect(said?.saves ?? 0).toBeCloseTo(least?.saves ?? 0, 7);
      if (least !== undefined) found++;
    }
  expect(found).toBeGreaterThan(5);
});

test('bounds: what each saves that is moved by one replica, the other models held', () => {
  let found = 0;
  for (const one of fleets)
    for (const [m, { variants }] of one.fleet.models.entries())
      for (const [g, { lower, upper }] of variants.entries()) {
        const replicas = one.outcome.models[m]!.mix[g]!;
        const ways = [
          { bound: 'upper', moved: replicas === upper ? { upper: upper + 1 } : null },
          { bound: 'lower', moved: replicas === lower && lower > 0 ? { lower: lower - 1 } : null },
        ];
        for (const { bound, moved } of ways) {
          const said = one.answers.bounds.find((each) => each.model === m && each.variant === g && each.bound === bound);
          if (moved === null) {
            expect(said).toBeUndefined();
            continue;
          }
          const changed = others(one, m, (variant, at) => (at === g ? { ...variant, ...moved } : variant));
          const saves = savedBy(one.fleet, one.outcome, changed);
          expect(said?.saves ?? 0).toBeCloseTo(saves, 7);
          if (saves > 0) found++;
        }
      }
  expect(found).toBeGreaterThan(8);
});

test('the next best mix is within stock and budget, and none that has fewer of some type is cheaper', () => {
  let found = 0;
  for (const one of fleets)
    for (const [m, { variants }] of one.fleet.models.entries()) {
      if (variants.length > 2) continue;
      const { mix } = one.outcome.models[m]!;
      const price = (y: readonly number[]) => mixCost(prepared(one.fleet).fleet.models[m]!, y);
      const range = ({ lower, upper }: FleetVariant) =>
        Array.from({ length: Math.min(upper, 8) - lower + 1 }, (_, i) => lower + i);
      const mixes = variants.reduce<number[][]>((all, variant) => all.flatMap((y) => range(variant).map((n) => [...y, n])), [[]]);
      const serving = mixes
        .filter((y) => y.some((n, g) => n < mix[g]!))
        .sort((a, b) => price(a) - price(b))
        .find((y) => servesAll(solve(others(one, m, (variant, g) => ({ ...variant, lower: y[g]!, upper: y[g]! })))));
      const said = one.answers.runnersUp[m]!;
      expect(said === null).toBe(serving === undefined);
      if (said === null || serving === undefined) continue;
      expect(price([...said])).toBeCloseTo(price(serving), 7);
      found++;
    }
  expect(found).toBeGreaterThan(15);
});
