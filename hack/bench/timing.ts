import type { Fleet } from '../../src/solver/fleet.ts';
import { mixCost } from '../../src/solver/fleet.ts';
import type { Program } from '../../src/solver/program.ts';
import type { Outcome } from '../../src/solver/solve.ts';
import type { FleetInstance } from './instances.ts';

/** Programs as models of a fleet: one way each, on common stock where there is some. */
export const fleetOf = ({ programs, stock, gpus }: FleetInstance): Fleet => ({
  stock,
  budget: Number.POSITIVE_INFINITY,
  models: programs.map(({ types, classes, loads, prices, lower, upper }) => ({
    priority: 0,
    rates: new Float64Array(classes).fill(1),
    ways: [{ loads, open: new Uint8Array(types).fill(1) }],
    previous: null,
    variants: Array.from(prices, (price, g) => ({
      price,
      lower: lower[g]!,
      upper: upper[g]!,
      pools: stock.length > 0 ? [g] : [],
      gpus: gpus[g] ?? 1,
      running: null,
    })),
  })),
});

export const alone = (program: Program): FleetInstance => ({ programs: [program], stock: [], gpus: [] });

export const costOf = (fleet: Fleet, outcome: Outcome): number =>
  outcome.models.reduce((sum, { mix }, m) => sum + mixCost(fleet.models[m]!, mix), 0);

/** The engine compiles beside the program: fewer rounds of a small instance are over before what it compiled is there. */
const leastWarmUpMs = 500;

/**
 * Milliseconds per instance, instances in turn so that none finds its own data warm: the median of the rounds of each, after
 * so many rounds of warm-up and at least half a second.
 */
export const timed = <T>(instances: readonly T[], run: (instance: T) => void, warmUp: number, rounds: number): number[] => {
  const times = instances.map(() => [] as number[]);
  const begin = performance.now();
  for (let round = 0; round < warmUp || performance.now() - begin < leastWarmUpMs; round++)
    for (const instance of instances) run(instance);
  for (let round = 0; round < rounds; round++)
    for (const [i, instance] of instances.entries()) {
      const start = performance.now();
      run(instance);
      times[i]!.push(performance.now() - start);
    }
  return times.map((list) => quantile(list, 0.5));
};

export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
};

export const significant = (value: number, digits = 2): number => Number(value.toPrecision(digits));
