import { growth } from './bench/growth.ts';
import { bench as solver } from './bench/solver.ts';

/** `npm run bench -- NAME [--json] [--quick]`. */
const benches: Record<string, (argv: readonly string[]) => Promise<number>> = { solver, growth };

const [name = '', ...argv] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`bench: choose one of ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
} else process.exitCode = await bench(argv);
