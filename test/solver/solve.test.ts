import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { instance } from '../../hack/bench/instances.ts';
import { alone, costOf, fleetOf } from '../../hack/bench/timing.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';

const fleets = Array.from({ length: 40 }, (_, i) => fleetOf(alone(instance(60_000 + i, { types: 2 + (i % 5), classes: 20 }))));

test('a known mix, good or useless, changes no answer', () => {
  let helped = 0;
  for (const fleet of fleets) {
    const cold = solve(fleet);
    for (const previous of [
      [...cold.models[0]!.mix],
      fleet.models[0]!.variants.map(() => 0),
      fleet.models[0]!.variants.map(() => 1e6),
    ]) {
      const warm = solve({ ...fleet, models: [{ ...fleet.models[0]!, previous }] });
      expect(warm.status).toBe(cold.status);
      expect([...warm.models[0]!.mix]).toEqual([...cold.models[0]!.mix]);
      if (warm.nodes < cold.nodes) helped++;
    }
  }
  expect(helped).toBeGreaterThan(0);
});

test('the node limit ends a search with its incumbent and a bound that holds', () => {
  let stopped = 0;
  for (const fleet of fleets) {
    const full = solve(fleet);
    if (full.status !== 'optimal') continue;
    const short = solve(fleet, { ...defaultOptions, nodeLimit: 3 });
    if (short.status === 'feasible') stopped++;
    expect(['optimal', 'feasible']).toContain(short.status);
    expect(short.bound!).toBeLessThanOrEqual(costOf(fleet, full) * (1 + 1e-9));
    expect(costOf(fleet, short)).toBeGreaterThanOrEqual(costOf(fleet, full) * (1 - 1e-9));
  }
  expect(stopped).toBeGreaterThan(5);
});

test('where all or nothing is asked for, what serves all is the same, and what cannot is not searched on', () => {
  let infeasible = 0;
  for (const fleet of fleets) {
    const [model] = fleet.models;
    const variants = model!.variants.map((variant) => ({ ...variant, upper: variant.lower }));
    const nothing = { ...fleet, models: [{ ...model!, variants }] };
    for (const each of [fleet, nothing]) {
      const [all, most] = [solve(each, { ...defaultOptions, allOrNothing: true }), solve(each)];
      expect(all.status).toBe(most.status);
      if (most.status === 'infeasible') {
        infeasible++;
        expect([...all.models[0]!.served].some((share) => share > 0)).toBe(false);
        expect(all.work).toBeLessThanOrEqual(most.work);
      } else expect([...all.models[0]!.mix]).toEqual([...most.models[0]!.mix]);
    }
  }
  expect(infeasible).toBeGreaterThanOrEqual(fleets.length);
});

test('ten thousand solves leave no heap behind', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = () => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (let i = 0; i < 2_000; i++) solve(fleets[i % fleets.length]!);
  const before = used();
  for (let i = 0; i < 10_000; i++) solve(fleets[i % fleets.length]!);
  const grown = used() - before;
  expect(grown).toBeLessThan(2 ** 20);
});
