/**
 * What AIBrix's own tools make of benchmark results and of profiles, for ours to be compared with.
 *   python3 -m venv VENV && VENV/bin/pip install 'aibrix[gpu-optimizer]==0.8.0'
 *   GPUMIX_AIBRIX_VENV=VENV node hack/golden-profiles.ts [--write]
 *
 * `aibrix_gen_profile` reads AIBrix's results and those of `gpumix benchmark` (of the engine model, in virtual time) in
 * test/fixtures/benchmarks; `FileProfileReader` and `RedisProfileReader` read profiles that `gpumix profile` makes of them.
 * Compares golden.json and readers.json with the tools' answers of now, or writes them and the results. Exit 1 where they differ,
 * 3 where there is no tool.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { main } from '../src/cli/gpumix.ts';
import { engineSpeed } from '../src/simulation/engine-speeds.ts';
import { usualSweep, virtualBenchmark } from './engine/virtual-benchmark.ts';

const folder = join(import.meta.dirname, '../test/fixtures/benchmarks');
const venv = process.env['GPUMIX_AIBRIX_VENV'] ?? '';
const tool = join(venv, 'bin/aibrix_gen_profile');
const write = process.argv.includes('--write');
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
/** What `gpumix benchmark` says, and the limits that it was asked for. */
const ours = 'gpumix-l40s.jsonl';
const oursFlags: readonly (readonly string[])[] = [
  ['--ttft', '2', '--tpot', '0.1', '--percentile', '99', '--cost', '1.86'],
  ['--ttft', '1', '--tpot', '0.06', '--percentile', '90'],
  ['--e2e', '8', '--percentile', '50'],
  [],
];
const asked = [
  ...['simulator-llama2-7b-a100.jsonl', 'simulator-llama2-7b-a40.jsonl'].flatMap((results) =>
    flags.map((some) => ({ results, flags: some })),
  ),
  ...oursFlags.map((some) => ({ results: ours, flags: some })),
];

/** Loads the profiles in the folder that is named, by both of AIBrix's readers; Redis is a map. */
const readers = `
import json, os, sys
from aibrix.gpu_optimizer.load_monitor.profile_reader import FileProfileReader, RedisProfileReader
names = sorted(os.listdir(sys.argv[1]))
texts = {name: open(os.path.join(sys.argv[1], name)).read() for name in names}
class Store:
    def scan(self, cursor, match): return 0, [f"aibrix:profile_m_{name}".encode() for name in names]
    def get(self, key): return texts[key.decode()[len("aibrix:profile_m_"):]].encode()
of = lambda p: {"gpu": p.gpu, "cost": p.cost, "tputs": p.tputs, "indexes": p.indexes}
files = FileProfileReader([os.path.join(sys.argv[1], name) for name in names]).read()
stored = RedisProfileReader(Store(), "m").read()
print(json.dumps([{"name": n, "file": of(f), "redis": of(r)} for n, f, r in zip(names, files, stored)]))
`;

/** What is alike at every time of day. */
const settled = ({ created: _, ...document }: Record<string, unknown>) => document;

/** Profiles of ours in files of their own. */
const profilesOfOurs = async (to: string): Promise<void> => {
  for (const [index, { results, flags: some }] of asked.entries()) {
    const argv = ['profile', `deployment-${index}`, '--benchmark', join(folder, results), ...some];
    const file = join(to, `${String(index).padStart(2, '0')}.json`);
    const status = await main([...argv, '-o', file], { stdout: () => {}, stderr: () => {} });
    if (status !== 0) throw new Error(`gpumix ${argv.join(' ')}: exit ${status}`);
  }
};

if (venv === '' || !existsSync(tool)) {
  console.log('golden profiles: not run: set GPUMIX_AIBRIX_VENV to a virtual environment with aibrix[gpu-optimizer] 0.8.0');
  process.exitCode = 3;
} else {
  if (write) {
    const grid = { inputs: [256, 512], outputs: [32, 128] };
    const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
    const { lines } = await virtualBenchmark(engineSpeed('L40S'), { ...usualSweep(slo), ...grid });
    writeFileSync(join(folder, ours), `${lines.join('\n')}\n`);
  }
  const answers = asked.map(({ results, flags: some }) => {
    const text = execFileSync(tool, ['golden', '--benchmark', join(folder, results), ...some], { encoding: 'utf8' });
    return { results, flags: some, document: settled(JSON.parse(text)) };
  });
  const profiles = mkdtempSync(join(tmpdir(), 'gpumix-golden-'));
  await profilesOfOurs(profiles);
  const loaded = JSON.parse(
    execFileSync(join(venv, 'bin/python'), ['-c', readers, profiles], { encoding: 'utf8' }),
  ) as readonly object[];
  rmSync(profiles, { recursive: true });
  const read = loaded.map((one, index) => ({ ...asked[index]!, ...one }));
  for (const [name, found] of [
    ['golden.json', answers],
    ['readers.json', read],
  ] as const) {
    const file = join(folder, name);
    if (write) writeFileSync(file, `[\n${found.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
    const same = isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(found)));
    console.log(`${name}: ${found.length} ${same ? 'agree' : 'differ'}`);
    if (!same) process.exitCode = 1;
  }
}
