import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { seeded } from '../src/vocabulary/random.ts';

/**
 * What AIBrix's own optimizer makes of some records, round by round, for the port in hack/simulate to be compared with.
 *   python3 -m venv VENV && VENV/bin/pip install 'aibrix[gpu-optimizer]==0.8.0'
 *   GPUMIX_AIBRIX_VENV=VENV node hack/golden-optimizer.ts [--write]
 * Compares golden.json with its answers of now, or writes it. Exit 1 where they differ, 3 where there is no AIBrix.
 */
const file = join(import.meta.dirname, '../test/fixtures/aibrix-optimizer/golden.json');
const script = join(import.meta.dirname, 'simulate/aibrix-rounds.py');
const python = join(process.env['GPUMIX_AIBRIX_VENV'] ?? '', 'bin/python');

interface Case {
  readonly name: string;
  /** Ends of the first and the last interval (s). */
  readonly from: number;
  readonly until: number;
  readonly initial: Readonly<Record<string, number>>;
  readonly profiles: readonly object[];
  /** By the end of the interval. */
  readonly records: Readonly<Record<string, string>>;
}

const from = 1_764_028_800;
const indexes = [
  [16, 64, 256],
  [128, 1024, 4096],
];
const fast = {
  gpu: 'fast',
  cost: 4.5,
  created: 1,
  indexes,
  tputs: [
    [60.5, 20.5, 4.5],
    [30.5, 12.5, 3.5],
    [9.5, 5.5, 1.5],
  ],
};
const slow = {
  gpu: 'slow',
  cost: 1.25,
  created: 1,
  indexes,
  tputs: [
    [14.5, 6.5, 0.5],
    [6.5, 3.5, 0.25],
    [1.5, 0.75, 0],
  ],
};

/** Numbers of a Poisson process in one interval. */
const poisson = (random: () => number, mean: number): number => {
  let [count, product] = [0, random()];
  while (product > Math.exp(-mean)) [count, product] = [count + 1, product * random()];
  return count;
};
type Shares = Readonly<Record<string, number>>;
const recordsOf = (seed: number, intervals: number, requests: (index: number) => number, shapes: Shares) => {
  const random = seeded(seed);
  const records = Array.from({ length: intervals }, (_, index) => {
    const mean = requests(index);
    if (mean === 0) return [];
    const completions = Object.entries(shapes).map(([bucket, share]) => [bucket, poisson(random, mean * share)] as const);
    const fields = Object.fromEntries(completions.filter(([, count]) => count > 0));
    const totals = { meta_total_reqs: poisson(random, mean), meta_pending_reqs: 3 };
    const record = { meta_v: 4, meta_interval_sec: 10, meta_precision: 10, ...totals, ...fields };
    return [[String(from + 10 * index), JSON.stringify(record)] as const];
  });
  return Object.fromEntries(records.flat());
};
const caseOf = (name: string, intervals: number, requests: (index: number) => number, shapes: Shares, seed = 1): Case => ({
  name,
  from,
  until: from + 10 * (intervals - 1),
  initial: { fast: 2, slow: 3 },
  profiles: [fast, slow],
  records: recordsOf(seed, intervals, requests, shapes),
});
const chain = Object.fromEntries(Array.from({ length: 41 }, (_, k) => [`${70 + k}:${20 + Math.round(1.5 * k)}`, 1 / 41]));

const cases: readonly Case[] = [
  caseOf('two shapes, steady', 40, () => 100, { '70:40': 0.6, '110:70': 0.4 }),
  caseOf('a step to three times as much', 30, (index) => (index < 15 ? 30 : 90), { '80:50': 0.5, '115:60': 0.5 }, 2),
  caseOf('a chain of sizes', 20, () => 205, chain, 3),
  caseOf(
    'a heavy tail, of which some is noise',
    36,
    () => 40,
    {
      '70:40': 0.94,
      '110:74': 0.02,
      '118:80': 0.02,
      '124:84': 0.01,
      '130:88': 0.01,
    },
    4,
  ),
  caseOf('little traffic', 20, () => 0.8, { '70:40': 1 }, 5),
  caseOf(
    'sizes beyond the grid, and where one type serves nothing',
    24,
    () => 25,
    { '20:10': 0.4, '135:95': 0.2, '120:80': 0.4 },
    6,
  ),
  caseOf('silence for five minutes', 70, (index) => (index >= 20 && index < 50 ? 0 : 60), { '70:40': 0.5, '100:60': 0.5 }, 7),
  caseOf('records that are missing', 40, (index) => (index % 4 === 1 ? 0 : 60), { '90:50': 1 }, 8),
];

if (!existsSync(python)) {
  console.log('golden optimizer: not run: set GPUMIX_AIBRIX_VENV to a virtual environment with aibrix[gpu-optimizer] 0.8.0');
  process.exitCode = 3;
} else {
  const options: ExecFileSyncOptionsWithStringEncoding = {
    input: JSON.stringify(cases),
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
    maxBuffer: 1e8,
  };
  const rounds = JSON.parse(execFileSync(python, [script], options)) as readonly unknown[];
  const answers = cases.map((one, index) => ({ ...one, rounds: rounds[index] }));
  if (process.argv.includes('--write')) writeFileSync(file, `[\n${answers.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  const same = isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(answers)));
  console.log(`golden optimizer: ${answers.length} cases ${same ? 'agree' : 'differ'}`);
  process.exitCode = same ? 0 : 1;
}
