import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { growth } from './bench/growth.ts';
import { scarcity } from './bench/scarcity.ts';
import { bench as simulate } from './bench/simulate.ts';
import { bench as solver } from './bench/solver.ts';
import { tick } from './bench/tick.ts';
import { unseen } from './bench/unseen.ts';

/** A bench that is a program of its own. */
const program = (path: string) => async (argv: readonly string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, path), ...argv], { stdio: 'inherit' }).status ?? 1;

const benches: Record<string, (argv: readonly string[]) => Promise<number>> = {
  solver,
  growth,
  simulate,
  scarcity,
  unseen,
  tick,
  doctor: program('bench/doctor.ts'),
  serve: program('bench/serve.ts'),
  api: program('api/bench.ts'),
  'api-aggregated': program('api/aggregated-load.ts'),
  'api-fuzz': program('api/fuzz.ts'),
  gateway: program('gateway/overhead.ts'),
  'gateway-memory': program('gateway/memory.ts'),
  'gateway-mix': program('gateway/mix.ts'),
};

/** `npm run bench -- NAME [--json] [--quick]` */
const [name = '', ...argv] = process.argv.slice(2);
const bench = benches[name];
if (bench === undefined) {
  process.stderr.write(`bench: choose one of ${Object.keys(benches).join(', ')}\n`);
  process.exitCode = 2;
} else process.exitCode = await bench(argv);
