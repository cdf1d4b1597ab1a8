import { expect, test } from 'vitest';
import { type FleetInstance, fleetInstance, instance } from '../../hack/bench/instances.ts';
import { alone, costOf, fleetOf } from '../../hack/bench/timing.ts';
import type { Program } from '../../src/solver/program.ts';
import { type Outcome, solve } from '../../src/solver/solve.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';
import { byHighs, overload } from './highs.ts';

/** Load over replicas of our own answer, from its shares. */
const ourOverload = (programs: readonly Program[], outcome: Outcome): number =>
  Math.max(...programs.map((program, m) => overload(program, [...outcome.models[m]!.mix], outcome.models[m]!.assignment)));

const compare = (given: FleetInstance): 'equal' | 'infeasible' => {
  const { programs } = given;
  const fleet = fleetOf(given);
  const outcome = solve(fleet);
  const peer = byHighs(given);
  if (peer === 'stopped') throw new Error('HiGHS was stopped');
  if (peer === null) {
    expect(outcome.status).toBe('infeasible');
    return 'infeasible';
  }
  expect(outcome.status).toBe('optimal');
  expect(ourOverload(programs, outcome)).toBeLessThanOrEqual(lineTolerance);
  const cost = costOf(fleet, outcome);
  const sound = programs.every((program, m) => overload(program, peer.replicas[m]!, peer.shares[m]!) <= 2 * lineTolerance);
  if (sound) expect(cost).toBeLessThanOrEqual(peer.cost * (1 + 1e-9));
  expect(cost).toBeGreaterThanOrEqual(peer.cost * (1 - 1e-9) - (sound ? 0 : 1e-6 * peer.cost));
  return 'equal';
};

test('180 instances of one model cost the same as by HiGHS', () => {
  const seen = { equal: 0, infeasible: 0 };
  for (const types of [2, 3, 4, 6, 8])
    for (let i = 0; i < 36; i++) seen[compare(alone(instance(77_000 + 1_000 * types + i, { types })))]++;
  expect(seen.equal).toBeGreaterThan(170);
});

test('20 fleets on common stock cost the same as by HiGHS', () => {
  const seen = { equal: 0, infeasible: 0 };
  for (let i = 0; i < 20; i++) {
    seen[compare(fleetInstance(5_000 + i, { types: 3, classes: 8, models: 3 }))]++;
  }
  expect(seen.equal).toBeGreaterThan(10);
});
