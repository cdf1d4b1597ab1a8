import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';

const run = async (...argv: string[]) => {
  let [stdout, stderr] = ['', ''];
  const status = await main(['simulate', ...argv], {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { status, stdout, stderr };
};

test('a short run names gpumix and its baselines, as one document and as a table', async () => {
  const json = await run('--seconds', '200', '--json');
  expect(json.status).toBe(0);
  const { outcomes } = JSON.parse(json.stdout) as { outcomes: { policy: string; attainment: number; cost: number }[] };
  expect(outcomes.map(({ policy }) => policy.replace(/ ?(L40S|A100-80|H100)/, ''))).toEqual([
    'gpumix',
    ' alone',
    ' alone',
    ' alone',
    'static peak',
    'HPA on queue,',
    'HPA on requests in flight,',
    'HPA on requests per second,',
  ]);
  for (const { attainment, cost } of outcomes) {
    expect(attainment).toBeGreaterThan(0.9);
    expect(cost).toBeGreaterThan(0);
  }
  const table = await run('--seconds', '200');
  expect(table.stdout.split('\n')[0]).toMatch(/^POLICY +COST +OF GPUMIX +IN SLO +UNSERVED/);
  expect(table.stdout).toContain(outcomes[0]!.cost.toFixed(2));
});

test('a trace is played in copies, and plotted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-simulate-'));
  try {
    const svg = join(folder, 'plot.svg');
    const trace = join(import.meta.dirname, '../../src/cli/demo/azure-conversation-10min.csv');
    const shared = ['--trace', trace, '--seconds', '120', '--alone', '--json'];
    const requests = async (...more: string[]) => JSON.parse((await run(...shared, ...more)).stdout).outcomes[0].requests;
    const [once, twice] = [await requests(), await requests('--copies', '3', '--svg', svg)];
    expect(twice).toBeGreaterThan(2 * once);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*Ready replicas: gpumix[\s\S]*<\/svg>\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  [['--traffic', 'wild'], '--traffic is "wild", none of steady, step, ramp, spike, day'],
  [['--stock', 'H100'], '--stock has "H100", not GPU=N'],
  [['--rate', 'x'], '--rate is "x", not a number from 0.01'],
  [['--stock', 'V100=3'], '--stock has "V100=3": the GPU types are L40S, A100-80, H100'],
  [['--faults', 'drain@99999'], '--faults has drain@99999: the run ends after 3600 s'],
  [['--trace', 'f', '--copies', '1.5'], '--copies is "1.5", not a whole number from 1'],
  [['--trace', 'f', '--rate', '3'], '--rate is of no use with --trace'],
  [['--copies', '3'], '--copies is of no use without --trace'],
  [['--trace', '/nowhere.csv'], '/nowhere.csv: cannot be read'],
])('bad usage says what is wrong: %j', async (argv, message) => {
  const { status, stderr } = await run(...argv);
  expect(status).toBe(2);
  expect(stderr).toBe(
    `gpumix simulate: ${message}${message.startsWith('/') ? `: ENOENT: no such file or directory, open '${argv[1]}'` : ''} (${message.startsWith('/') ? 'BAD_TRACE' : 'BAD_USAGE'})\n`,
  );
});
