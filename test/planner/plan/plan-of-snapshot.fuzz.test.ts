import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { extrapolated } from '../../../src/planner/plan/snapshot-document.ts';
import { routerKnowledges, type Snapshot } from '../../../src/vocabulary/planning-documents.ts';
import { bruteForce } from '../../solver/brute-force.ts';
import { wrongWith } from '../../solver/check-plan.ts';

const rate = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.double({ min: 0.01, max: 4, noNaN: true }));
const throughput = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 6 }), fc.double({ min: 0.5, max: 6, noNaN: true }));
const price = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4 }), fc.double({ min: 0.1, max: 5, noNaN: true }));

const variant = (rows: number) =>
  fc.record({
    gpu: fc.constantFrom('A', 'B'),
    gpusPerReplica: fc.constantFrom(1, 1, 2),
    price,
    floor: fc.constantFrom(0, 0, 0, 1),
    range: fc.integer({ min: 0, max: 4 }),
    running: fc.option(fc.integer({ min: 0, max: 3 }), { nil: null }),
    throughput: fc.array(throughput, { minLength: rows, maxLength: rows }),
    seconds: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: rows, maxLength: rows }),
  });

const model = fc.integer({ min: 1, max: 3 }).chain((rows) =>
  fc.record({
    priority: fc.integer({ min: 0, max: 1 }),
    rates: fc.array(rate, { minLength: rows, maxLength: rows }),
    variants: fc.array(variant(rows), { minLength: 1, maxLength: 2 }),
  }),
);

const snapshot: fc.Arbitrary<Snapshot> = fc
  .record({
    models: fc.array(model, { minLength: 1, maxLength: 2 }),
    stock: fc.dictionary(fc.constantFrom('A', 'B'), fc.integer({ min: 4, max: 9 })),
    budget: fc.option(fc.integer({ min: 8, max: 20 }), { nil: null, freq: 4 }),
    routing: fc.constantFrom(...routerKnowledges),
  })
  .map(({ models, stock, budget, routing }) => ({
    ...{ now: null, stock, budget, routing },
    models: models.map(({ priority, rates, variants }, m) => {
      const demand = rates.map((arrivalRate, row) => ({ inputTokens: 100 * 2 ** row, outputTokens: 50, arrivalRate }));
      return {
        ...{ name: `m${m}`, priority, demand, previous: null },
        variants: variants.map(({ floor, range, seconds, ...rest }, g) => ({
          ...rest,
          ...{ name: `m${m}/v${g}`, minReplicas: floor, maxReplicas: floor + range, ready: null, sloShare: null },
          ...{ throughputBeyondSlo: extrapolated(demand, rest.throughput), e2eSeconds: seconds },
        })),
      };
    }),
  }));

test('arbitrary small snapshots are answered as trying every mix answers them', () => {
  let [served, short] = [0, 0];
  fc.assert(
    fc.property(snapshot, (given) => {
      const plan = planOf(given);
      const truth = bruteForce(given);
      expect(plan.status).toBe(truth.feasible ? 'optimal' : 'infeasible');
      expect(wrongWith(given, plan)).toEqual([]);
      expect(plan.cost).toBeCloseTo(truth.cost, 6);
      const unserved = plan.models
        .flatMap((each) => each.unserved)
        .filter(({ reason }) => reason !== 'profile')
        .reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
      expect(unserved).toBeCloseTo(
        [...truth.unserved.values()].reduce((sum, left) => sum + left, 0),
        6,
      );
      if (truth.feasible) served++;
      else short++;
    }),
    { numRuns: 1_000, seed: 20261125 },
  );
  expect(served).toBeGreaterThan(200);
  expect(short).toBeGreaterThan(50);
});
