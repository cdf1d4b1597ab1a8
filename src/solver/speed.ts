import type { Fleet, FleetModel } from './fleet.ts';
import { solve } from './solve.ts';

/** Runs of which the fastest counts: the first is of code that is not compiled yet. */
const runs = 2;

/**
 * Units of work per microsecond of the machine that this runs on, by a fleet that is always the same; about 1 on an ordinary core.
 * @param clock milliseconds from any start
 */
export const measuredSpeed = (clock: () => number): number => {
  let speed = 0;
  for (let run = 0; run < runs; run += 1) {
    const started = clock();
    const { work } = solve(yardstick);
    const microseconds = 1000 * (clock() - started);
    if (microseconds > 0) speed = Math.max(speed, work / microseconds);
  }
  return speed;
};

/** Proven in 0.2 s: twenty-four models of twelve sizes on four types, of which there are not enough. */
export const yardstick: Fleet = {
  models: Array.from({ length: 24 }, (_, m): FleetModel => {
    const rates = Float64Array.from({ length: 12 }, (__, c) => 1 + ((3 * m + 5 * c) % 11));
    const loads = Float64Array.from({ length: 48 }, (__, at) => (1 + ((m + 7 * (at >> 2)) % 13) / 4) / (2 + (at % 4) * 1.7));
    return {
      priority: 0,
      rates,
      known: null,
      ways: [{ loads, open: new Uint8Array(4).fill(1) }],
      variants: [1, 1.9, 3.1, 4.3].map((price, pool) => {
        return { price, lower: 0, upper: Number.POSITIVE_INFINITY, pools: [pool], gpus: 1, running: null };
      }),
    };
  }),
  stock: [80, 60, 80, 60],
  budget: Number.POSITIVE_INFINITY,
};
