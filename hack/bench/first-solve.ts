import { solve } from '../../src/solver/solve.ts';
import { instance } from './instances.ts';
import { alone, fleetOf } from './timing.ts';

/** Prints the milliseconds of this process's first solve: one model, 8 types. */
const fleet = fleetOf(alone(instance(8_000, { types: 8 })));
const start = performance.now();
solve(fleet);
process.stdout.write(String(performance.now() - start));
