import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

/**
 * What `aibrix_gen_profile` makes of the benchmark results in test/fixtures/benchmarks, for our own to be compared with.
 *   python3 -m venv VENV && VENV/bin/pip install 'aibrix[gpu-optimizer]==0.8.0'
 *   GPUMIX_AIBRIX_VENV=VENV node hack/golden-profiles.ts [--write]
 * Compares golden.json with the tool's answers of now, or writes it. Exit 1 where they differ, 3 where there is no tool.
 */
const folder = join(import.meta.dirname, '../test/fixtures/benchmarks');
const venv = process.env['GPUMIX_AIBRIX_VENV'] ?? '';
const tool = join(venv, 'bin/aibrix_gen_profile');
const flags: readonly (readonly string[])[] = [
  [],
  ['--e2e', '5', '--percentile', '99'],
  ['--e2e', '2', '--percentile', '90', '--cost', '1.7'],
  ['--e2e', '1'],
  ['--ttft', '0.00003', '--percentile', '50'],
  ['--tpot', '0.03', '--percentile', '90'],
  ['--tpat', '0.01', '--percentile', '50'],
  ['--tput', '3'],
  ['--tt', '400', '--e2e', '20'],
];

/** What is alike at every time of day. */
const settled = ({ created: _, ...document }: Record<string, unknown>) => document;

if (venv === '' || !existsSync(tool)) {
  console.log(
    'golden profiles: not run: set GPUMIX_AIBRIX_VENV to a virtual environment with aibrix[gpu-optimizer] 0.8.0',
  );
  process.exitCode = 3;
} else {
  const answers = ['a100', 'a40'].flatMap((gpu) =>
    flags.map((some) => {
      const results = `simulator-llama2-7b-${gpu}.jsonl`;
      const text = execFileSync(tool, ['golden', '--benchmark', join(folder, results), ...some], { encoding: 'utf8' });
      return { results, flags: some, document: settled(JSON.parse(text)) };
    }),
  );
  const file = join(folder, 'golden.json');
  if (process.argv.includes('--write'))
    writeFileSync(file, `[\n${answers.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  const same = isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(answers)));
  console.log(`golden profiles: ${answers.length} ${same ? 'agree' : 'differ'}`);
  process.exitCode = same ? 0 : 1;
}
