import { expect, test } from 'vitest';
import { fleetInstance, instance } from '../../hack/bench/instances.ts';
import { type Fleet, mixCost } from '../../src/solver/fleet.ts';
import { lineTolerance, type Program } from '../../src/solver/program.ts';
import { type Outcome, solve } from '../../src/solver/solve.ts';
import { byHighs, overload } from './highs.ts';

/** Programs as models of a fleet: one way each, on common stock where there is some. */
const fleetOf = (programs: readonly Program[], stock: readonly number[] = [], gpus: readonly number[] = []): Fleet => ({
  stock,
  budget: Number.POSITIVE_INFINITY,
  models: programs.map(({ types, classes, loads, prices, lower, upper }) => ({
    priority: 0,
    rates: new Float64Array(classes).fill(1),
    ways: [{ loads, open: new Uint8Array(types).fill(1) }],
    known: null,
    variants: Array.from(prices, (price, g) => ({
      price,
      lower: lower[g]!,
      upper: upper[g]!,
      pool: stock.length > 0 ? g : -1,
      gpus: gpus[g] ?? 1,
      running: null,
    })),
  })),
});

const costOf = (fleet: Fleet, outcome: Outcome): number =>
  outcome.models.reduce((sum, { mix }, m) => sum + mixCost(fleet.models[m]!, mix), 0);

/** Load over replicas of our own answer, from its shares. */
const ourOverload = (programs: readonly Program[], outcome: Outcome): number =>
  Math.max(
    ...programs.map((program, m) => overload(program, [...outcome.models[m]!.mix], outcome.models[m]!.assignment)),
  );

const compare = (
  programs: readonly Program[],
  stock?: readonly number[],
  gpus?: readonly number[],
): 'equal' | 'infeasible' => {
  const fleet = fleetOf(programs, stock, gpus);
  const outcome = solve(fleet);
  const peer = byHighs({ programs, ...(stock ? { stock } : {}), ...(gpus ? { gpus } : {}) });
  if (peer === null) {
    expect(outcome.status).toBe('infeasible');
    return 'infeasible';
  }
  expect(outcome.status).toBe('optimal');
  expect(ourOverload(programs, outcome)).toBeLessThanOrEqual(lineTolerance);
  const cost = costOf(fleet, outcome);
  const sound = programs.every(
    (program, m) => overload(program, peer.replicas[m]!, peer.shares[m]!) <= 2 * lineTolerance,
  );
  if (sound) expect(cost).toBeLessThanOrEqual(peer.cost * (1 + 1e-9));
  expect(cost).toBeGreaterThanOrEqual(peer.cost * (1 - 1e-9) - (sound ? 0 : 1e-6 * peer.cost));
  return 'equal';
};

test('180 instances of one model cost the same as by HiGHS', () => {
  const seen = { equal: 0, infeasible: 0 };
  for (const types of [2, 3, 4, 6, 8])
    for (let i = 0; i < 36; i++) seen[compare([instance(77_000 + 1_000 * types + i, { types })])]++;
  expect(seen.equal).toBeGreaterThan(170);
}, 120_000);

test('20 fleets on common stock cost the same as by HiGHS', () => {
  const seen = { equal: 0, infeasible: 0 };
  for (let i = 0; i < 20; i++) {
    const { programs, stock, gpus } = fleetInstance(5_000 + i, { types: 3, classes: 8, models: 3 });
    seen[compare(programs, stock, gpus)]++;
  }
  expect(seen.equal).toBeGreaterThan(10);
}, 60_000);
