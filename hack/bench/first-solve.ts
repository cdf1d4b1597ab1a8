import { solve } from '../../src/solver/solve.ts';
import { instance } from './instances.ts';
import { alone, fleetOf } from './timing.ts';

/** Prints the milliseconds of this process's first solve, of the instance with the given seed: one model, 8 types. */
const fleet = fleetOf(alone(instance(Number(process.argv[2]), { types: 8 })));
const start = performance.now();
solve(fleet);
process.stdout.write(String(performance.now() - start));
