import { expect, test } from 'vitest';
import { type PlantedShape, plantedFleet } from '../../hack/bench/planted-fleets.ts';
import { costOf } from '../../hack/bench/timing.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import type { Fleet } from '../../src/solver/fleet.ts';
import { defaultOptions, type Outcome, solve } from '../../src/solver/solve.ts';
import type { Plan, Snapshot } from '../../src/vocabulary/planning-documents.ts';
import { routerKnowledges } from '../../src/vocabulary/planning-documents.ts';
import { wrongWith } from './check-plan.ts';
import { Random } from './random.ts';
import { smallSnapshot } from './snapshots.ts';

const limits = [0, 30, 300, 3_000, 30_000];
const servedOf = ({ models }: Fleet, outcome: Outcome): number =>
  models.reduce((sum, { rates }, m) => sum + rates.reduce((part, rate, c) => part + rate * outcome.models[m]!.served[c]!, 0), 0);
const arriving = ({ models }: Fleet): number =>
  models.reduce((sum, { rates }) => sum + rates.reduce((part, rate) => part + rate, 0), 0);

test('with any limit a plan is sound, and what it says of the optimum is true', () => {
  const seen = { feasible: 0, infeasible: 0, optimal: 0 };
  for (let seed = 0; seed < 160; seed++) {
    const { snapshot } = smallSnapshot(40_000 + seed, routerKnowledges[seed % 4]!);
    const whole = planOf(snapshot);
    for (const workLimit of limits) {
      const plan = planOf({ ...snapshot, workLimit });
      expect(wrongWith(snapshot, plan), `${seed} ${workLimit}`).toEqual([]);
      seen[plan.status]++;
      if (plan.status === 'infeasible') continue;
      expect(whole.status).toBe('optimal');
      expect(plan.cost).toBeGreaterThanOrEqual(whole.cost * (1 - 1e-9));
      expect(plan.bound!).toBeLessThanOrEqual(whole.cost * (1 + 1e-9));
      if (plan.status === 'optimal') expect(plan.cost).toBeCloseTo(whole.cost, 8);
    }
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(20);
});

const shapes: readonly PlantedShape[] = [
  { models: 5, types: 4, classes: 8 },
  { models: 5, types: 4, classes: 8, priorities: true },
  { models: 4, types: 4, classes: 8, within: 0.02, quota: true },
  { models: 4, types: 3, classes: 6, budget: true },
];

test('fleets on common stock: the bound and what may be servable hold, and more work proves more', () => {
  let proven = 0;
  for (const [at, shape] of shapes.entries())
    for (const share of [1.1, 1, 0.8]) {
      const { fleet: planted } = plantedFleet(5_000 + at, shape);
      const fleet = { ...planted, stock: planted.stock.map((gpus) => Math.floor(gpus * share)) };
      const whole = solve(fleet);
      const most = whole.servable === null ? arriving(fleet) : servedOf(fleet, whole);
      for (const workLimit of limits) {
        const outcome = solve(fleet, { ...defaultOptions, workLimit });
        if (outcome.bound !== null) {
          expect(outcome.bound).toBeLessThanOrEqual(costOf(fleet, whole) * (1 + 1e-9));
          expect(costOf(fleet, outcome)).toBeGreaterThanOrEqual((whole.bound ?? 0) * (1 - 1e-9));
        } else if (shape.priorities !== true)
          expect(servedOf(fleet, outcome) + outcome.servable!).toBeGreaterThanOrEqual(most * (1 - 1e-6));
        if (outcome.status === 'optimal' || outcome.servable === 0) proven++;
      }
    }
  expect(proven).toBeGreaterThan(5);
});

test('the last plan is one to start from: with no work at all it still serves what it served', () => {
  let served = 0;
  for (const [at, shape] of shapes.entries()) {
    const { fleet } = plantedFleet(6_000 + at, shape);
    const whole = solve(fleet);
    expect(whole.status).not.toBe('infeasible');
    const known = fleet.models.map((model, m) => ({ ...model, previous: [...whole.models[m]!.mix] }));
    const [cold, warm] = [fleet.models, known].map((models) => solve({ ...fleet, models }, { ...defaultOptions, workLimit: 0 }));
    expect(warm!.status).not.toBe('infeasible');
    expect(warm!.bound!).toBeLessThanOrEqual(costOf(fleet, whole) * (1 + 1e-9));
    if (cold!.status === 'infeasible') served++;
  }
  expect(served).toBeGreaterThan(1);
});

test('the plan does not depend on the order of models, variants and rows', () => {
  const said = ({ status, cost, bound, servedGap, models }: Plan) => ({
    ...{ status, cost, bound, servedGap },
    replicas: models.map(({ replicas }) => replicas),
  });
  for (let seed = 0; seed < 120; seed++) {
    const { snapshot } = smallSnapshot(50_000 + seed, 'size');
    const random = new Random(seed);
    const last = planOf(snapshot).models;
    const previous = (name: string) =>
      seed % 2 === 0 ? null : { replicas: last.find((model) => model.name === name)!.replicas };
    const limited: Snapshot = {
      ...snapshot,
      workLimit: random.pick(limits),
      models: snapshot.models.map((model) => ({ ...model, previous: previous(model.name) })),
    };
    const shuffled: Snapshot = {
      ...limited,
      models: random.shuffled(
        limited.models.map((model) => {
          const rows = random.shuffled(model.demand.map((_, row) => row));
          const sorted = <T>(list: readonly T[]): T[] => rows.map((row) => list[row]!);
          return {
            ...model,
            demand: sorted(model.demand),
            variants: random.shuffled(
              model.variants.map((variant) => ({
                ...variant,
                throughput: sorted(variant.throughput),
                throughputBeyondSlo: sorted(variant.throughputBeyondSlo),
                e2eSeconds: variant.e2eSeconds === null ? null : sorted(variant.e2eSeconds),
              })),
            ),
          };
        }),
      ),
    };
    const [one, other] = [said(planOf(limited)), said(planOf(shuffled))];
    expect(other.replicas, `${seed}`).toEqual(one.replicas);
    expect(other.status).toBe(one.status);
    if (one.bound !== null) expect(other.bound).toBeCloseTo(one.bound, 9);
  }
});
