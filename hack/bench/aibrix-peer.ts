import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Program } from '../../src/solver/program.ts';
import { solve } from '../../src/solver/solve.ts';
import { instance } from './instances.ts';
import { alone, costOf, fleetOf, quantile, significant } from './timing.ts';

export interface PeerRow {
  readonly types: number;
  readonly instances: number;
  /** Solved within the limit; median of those (ms); their cost in whole replicas over ours, on average. */
  readonly solved: number;
  readonly medianMs: number | null;
  readonly costOverOurs: number | null;
}

export interface PeerReport {
  readonly rows: readonly PeerRow[];
  readonly text: string;
}

const version = '0.8.0';
const limitSeconds = 20;
const instancesPerSize = 5;

/**
 * AIBrix's own solver (PyPI `aibrix[gpu-optimizer]`) on the same instances, those without bounds, which it does not know.
 * It lives in a virtual environment outside the checkout: GPUMIX_AIBRIX_VENV, else one in the temporary folder, made once.
 */
export const aibrix = async (say: (text: string) => void): Promise<PeerReport> => {
  const python = environment(say);
  if (python === null) return { rows: [], text: `AIBrix ${version}: not run (no Python 3 with venv and PyPI here).` };
  const rows = [2, 3, 4, 8].map((types) => measured(python, types));
  return {
    rows,
    text: [`AIBrix ${version}'s own solver on the same kind of instances, ${limitSeconds} s each:`, '', ...table(rows)].join(
      '\n',
    ),
  };
};

const environment = (say: (text: string) => void): string | null => {
  const folder = process.env['GPUMIX_AIBRIX_VENV'] ?? join(tmpdir(), `gpumix-aibrix-${version}`);
  const python = join(folder, 'bin/python');
  const works = () => {
    execFileSync(python, ['-c', 'import aibrix.gpu_optimizer.optimizer.solver.melange.solver'], { stdio: 'ignore' });
    return python;
  };
  try {
    if (existsSync(python)) return works();
    say(`installing aibrix[gpu-optimizer]==${version} into ${folder}`);
    execFileSync('python3', ['-m', 'venv', folder], { stdio: 'ignore' });
    execFileSync(python, ['-m', 'pip', 'install', '-q', `aibrix[gpu-optimizer]==${version}`], { stdio: 'ignore' });
    return works();
  } catch {
    return null;
  }
};

const measured = (python: string, types: number): PeerRow => {
  const programs = Array.from({ length: 4 * instancesPerSize }, (_, i) => instance(1_000_000 + 1_000 * types + i, { types }))
    .filter(({ lower, upper }) => lower.every((low) => low === 0) && upper.every((high) => high === Number.POSITIVE_INFINITY))
    .slice(0, instancesPerSize);
  const answers = programs.flatMap((program) => {
    const answer = asked(python, program);
    return answer === null ? [] : [answer];
  });
  return {
    types,
    instances: programs.length,
    solved: answers.length,
    medianMs:
      answers.length === 0
        ? null
        : significant(
            quantile(
              answers.map(({ ms }) => ms),
              0.5,
            ),
          ),
    costOverOurs:
      answers.length === 0 ? null : significant(answers.reduce((sum, { ratio }) => sum + ratio, 0) / answers.length, 4),
  };
};

/** Null where it has no answer within the limit. */
const asked = (python: string, { types, classes, loads, prices, ...rest }: Program): { ms: number; ratio: number } | null => {
  const throughput = Array.from(prices, (_, g) => Array.from({ length: classes }, (_, c) => 1 / loads[c * types + g]!));
  const input = JSON.stringify({ throughput, prices: [...prices], rates: new Array(classes).fill(1) });
  try {
    const output = execFileSync('timeout', [String(limitSeconds), python, join(import.meta.dirname, 'aibrix-peer.py')], {
      input,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const { milliseconds, hundredths } = JSON.parse(output) as { milliseconds: number; hundredths: number[] | null };
    if (hundredths === null) return null;
    const fleet = fleetOf(alone({ types, classes, loads, prices, ...rest }));
    const whole = hundredths.reduce((sum, count, g) => sum + Math.ceil(count / 100) * prices[g]!, 0);
    return { ms: milliseconds, ratio: whole / costOf(fleet, solve(fleet)) };
  } catch {
    return null;
  }
};

const table = (rows: readonly PeerRow[]): string[] => [
  '| types | solved | median ms | cost in whole replicas, over ours |',
  '|---|---|---|---|',
  ...rows.map(
    ({ types, instances, solved, medianMs, costOverOurs }) =>
      `| ${types} | ${solved} of ${instances} | ${medianMs ?? '-'} | ${costOverOurs ?? '-'} |`,
  ),
];
