import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { defaultOptions, type Outcome, solve } from '../../src/solver/solve.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';
import { byHighs, overload } from '../../test/solver/highs.ts';
import { aibrix } from './aibrix-peer.ts';
import { benchProgress } from './bench-progress.ts';
import { type FleetInstance, fleetInstance, instance } from './instances.ts';
import { publish } from './publish.ts';
import { alone, costOf, fleetOf, quantile, significant, timed } from './timing.ts';

/** One row of the table: instances of one shape. */
interface Row {
  readonly models: number;
  readonly types: number;
  readonly classes: string;
  readonly instances: number;
  readonly proven: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Median over the instances that HiGHS solved within its limit; null where it was not asked. */
  readonly timesFasterThanHighs: number | null;
  readonly highsMedianMs: number | null;
  readonly wrong: number;
}

interface FirstSolve {
  readonly medianMs: number;
  readonly worstMs: number;
}

interface Shape {
  readonly models: number;
  readonly types: number;
  readonly classes?: number;
  readonly instances: number;
  readonly rounds: number;
  /** How many instances HiGHS gets, and its limit for each (s). */
  readonly highs: number;
  readonly seconds: number;
}

const single = [2, 3, 4, 6, 8, 12].map((types) => ({
  models: 1,
  types,
  instances: 50,
  rounds: 9,
  highs: 50,
  seconds: 5,
}));
const shapes: readonly Shape[] = [
  ...single,
  { models: 1, types: 4, classes: 2000, instances: 10, rounds: 5, highs: 0, seconds: 0 },
  { models: 1, types: 8, classes: 2000, instances: 10, rounds: 5, highs: 0, seconds: 0 },
  { models: 2, types: 4, classes: 30, instances: 20, rounds: 5, highs: 10, seconds: 10 },
  { models: 6, types: 4, classes: 30, instances: 20, rounds: 5, highs: 3, seconds: 10 },
  { models: 12, types: 4, classes: 30, instances: 20, rounds: 3, highs: 2, seconds: 10 },
  { models: 50, types: 8, classes: 100, instances: 8, rounds: 1, highs: 0, seconds: 0 },
  { models: 200, types: 8, classes: 40, instances: 5, rounds: 1, highs: 0, seconds: 0 },
];

export const bench = async (argv: readonly string[]): Promise<number> => {
  const json = argv.includes('--json');
  const progress = benchProgress('solver');
  const say = (text: string) => (json ? undefined : progress.print(text));
  const first = await firstSolve();
  const rows: Row[] = [];
  const chosen = argv.includes('--quick') ? shapes.map(quick) : shapes;
  for (const [done, shape] of chosen.entries()) {
    rows.push(measured(shape, (share) => progress.tell((done + share) / chosen.length)));
    say(line(rows.at(-1)!));
  }
  const peer = await aibrix(say);
  progress.end();
  if (json) process.stdout.write(`${JSON.stringify({ summary: rows, firstSolve: first, aibrix: peer, machine: machine() })}\n`);
  else publish('solver', [...head(first), ...rows.map(line), '', peer.text].join('\n'));
  return rows.some(({ wrong }) => wrong > 0) ? 1 : 0;
};

const quick = (shape: Shape): Shape => ({
  ...shape,
  instances: Math.min(shape.instances, 10),
  rounds: Math.min(3, shape.rounds),
  highs: Math.min(2, shape.highs),
});

const seedOf = (models: number, types: number, i: number): number => 1_000_000 * models + 1_000 * types + i;

const instancesOf = ({ models, types, classes, instances }: Shape): FleetInstance[] =>
  Array.from({ length: instances }, (_, i) => {
    const seed = seedOf(models, types, i);
    const shape = { types, ...(classes === undefined ? {} : { classes }) };
    return models === 1 ? alone(instance(seed, shape)) : fleetInstance(seed, { ...shape, models });
  });

/** Rounds before the clock counts: until the engine has compiled what it runs, where that takes no more than seconds. */
const warmUp = ({ models, classes }: Shape): number => (models === 1 && classes === undefined ? 30 : models > 12 ? 1 : 3);

/** @param tell is told the share of it that is done */
const measured = (shape: Shape, tell: (share: number) => void): Row => {
  const instances = instancesOf(shape);
  const fleets = instances.map(fleetOf);
  const times = timed(fleets, (fleet) => solve(fleet, defaultOptions), warmUp(shape), shape.rounds);
  const outcomes = fleets.map((fleet) => solve(fleet, defaultOptions));
  const peers = instances.slice(0, shape.highs).map((each, i) => {
    tell(i / shape.highs);
    return compared(each, outcomes[i]!, costOf(fleets[i]!, outcomes[i]!), shape.seconds);
  });
  const known = peers.filter(({ ms }) => ms !== null);
  return {
    models: shape.models,
    types: shape.types,
    classes: String(shape.classes ?? '38-47'),
    instances: shape.instances,
    proven: outcomes.filter(({ status }) => status === 'optimal' || status === 'infeasible').length,
    medianMs: significant(quantile(times, 0.5)),
    p99Ms: significant(quantile(times, 0.99)),
    worstMs: significant(Math.max(...times)),
    highsMedianMs:
      known.length === 0
        ? null
        : significant(
            quantile(
              known.map(({ ms }) => ms!),
              0.5,
            ),
          ),
    timesFasterThanHighs:
      known.length === 0
        ? null
        : significant(
            quantile(
              peers.flatMap(({ ms }, i) => (ms === null ? [] : [ms / times[i]!])),
              0.5,
            ),
          ),
    wrong: peers.filter(({ wrong }) => wrong).length + instances.filter((each, i) => !carried(each, outcomes[i]!)).length,
  };
};

/** HiGHS on the same instance, its answer held against the line; ms null = not within its limit. */
const compared = (
  each: FleetInstance,
  outcome: Outcome,
  cost: number,
  seconds: number,
): { ms: number | null; wrong: boolean } => {
  const start = performance.now();
  const peer = byHighs(each, seconds);
  const ms = performance.now() - start;
  if (peer === 'stopped') return { ms: null, wrong: false };
  if (peer === null) return { ms, wrong: outcome.status !== 'infeasible' };
  const sound = each.programs.every((program, m) => overload(program, peer.replicas[m]!, peer.shares[m]!) <= 2 * lineTolerance);
  const cheaper = sound && peer.cost < cost * (1 - lineTolerance);
  return { ms, wrong: outcome.status === 'infeasible' ? sound : cheaper };
};

/** Whether every capacity, recomputed from the shares, carries its load, within the stock. */
const carried = ({ programs, stock, gpus }: FleetInstance, { status, models }: Outcome): boolean =>
  status === 'infeasible' ||
  (programs.every((program, m) => overload(program, [...models[m]!.mix], models[m]!.assignment) <= lineTolerance) &&
    stock.every((count, g) => models.reduce((sum, { mix }) => sum + gpus[g]! * mix[g]!, 0) <= count));

/**
 * Milliseconds of the first solve of a fresh process, modules loaded, bundled as the shipped program is: one process for each
 * of the first 9 of the table's instances of 8 types.
 */
const firstSolve = async (): Promise<FirstSolve> => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-first-solve-'));
  const bundle = await rolldown({ input: join(import.meta.dirname, 'first-solve.ts'), platform: 'node' });
  await bundle.write({ dir: folder, format: 'esm', entryFileNames: 'first-solve.mjs', minify: true });
  await bundle.close();
  const times = Array.from({ length: 9 }, (_, i) =>
    Number(execFileSync(process.execPath, [join(folder, 'first-solve.mjs'), String(seedOf(1, 8, i))], { encoding: 'utf8' })),
  );
  rmSync(folder, { recursive: true });
  return { medianMs: significant(quantile(times, 0.5)), worstMs: significant(Math.max(...times)) };
};

const machine = () => ({ cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version });

const head = (first: FirstSolve): string[] => {
  const { cpu, cores, node } = machine();
  return [
    `${cpu}, ${cores} cores, Node ${node}, one thread; warm, instances in turn. First solve of a fresh process (8 types, bundled as shipped, median of 9): ${first.medianMs} ms, worst ${first.worstMs} ms.`,
    '',
    '| models | types | classes | proven | median ms | p99 ms | worst ms | HiGHS median ms | times faster | wrong |',
    '|---|---|---|---|---|---|---|---|---|---|',
  ];
};

const line = (row: Row): string =>
  `| ${[
    row.models,
    row.types,
    row.classes,
    `${row.proven} of ${row.instances}`,
    row.medianMs,
    row.p99Ms,
    row.worstMs,
    row.highsMedianMs ?? '-',
    row.timesFasterThanHighs ?? '-',
    row.wrong,
  ].join(' | ')} |`;
