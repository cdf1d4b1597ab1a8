import { expect, test } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';
import { version } from '../../src/runtime/version.ts';

const run = async (...argv: string[]) => {
  let [stdout, stderr] = ['', ''];
  const status = await main(argv, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { status, stdout, stderr };
};

test('--version, --help, and a bare call', async () => {
  expect(await run('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  const help = await run('--help');
  expect(help.status).toBe(0);
  for (const command of ['serve', 'plan', 'demo', 'replay']) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(await run()).toEqual(help);
});

test('an unknown command is one line and status 2', async () => {
  expect(await run('toString')).toEqual({
    status: 2,
    stdout: '',
    stderr: 'gpumix: there is no command "toString"; gpumix --help lists them\n',
  });
});

test.each(['serve', 'plan', 'demo', 'replay'])('%s --help names its flags', async (command) => {
  const { status, stdout } = await run(command, '--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^gpumix \w+: .+\n\n {2}--/);
});

test.each([
  [['demo', '--ticks', 'many'], 'gpumix demo: --ticks is "many", not a number from 1\n'],
  [['demo', '--fast'], "gpumix demo: Unknown option '--fast'\n"],
  [['replay'], 'gpumix replay: --trace is missing\n'],
  [['replay', '--trace', '/nowhere', '--model', 'm'], /^gpumix replay: \/nowhere: cannot be read: ENOENT.*\n$/],
  [
    ['serve', '--headroom', 'x', '--routing', 'y'],
    'gpumix serve: --headroom is "x": not a number\ngpumix serve: --routing is "y": none of auto, size, input, load, none\n',
  ],
])('bad usage %j', async (argv, line) => {
  const { status, stdout, stderr } = await run(...argv);
  expect([status, stdout]).toEqual([2, '']);
  if (typeof line === 'string') expect(stderr).toBe(line);
  else expect(stderr).toMatch(line);
});

test('demo --json prints one document: plans with several GPU types, cheaper than the best single one', async () => {
  const { status, stdout, stderr } = await run('demo', '--ticks', '2', '--json');
  expect([status, stderr]).toEqual([0, '']);
  const { ticks } = JSON.parse(stdout) as {
    ticks: { status: string; models: { replicas: Record<string, number> }[] }[];
  };
  expect(ticks).toHaveLength(2);
  for (const plan of ticks) {
    expect(plan.status).toBe('optimal');
    expect(Object.values(plan.models[0]?.replicas ?? {}).filter((count) => count > 0).length).toBeGreaterThan(1);
  }
});

test('demo prints a table, what the best single type costs, and how to ask', async () => {
  const { status, stdout } = await run('demo', '--ticks', '1');
  expect(status).toBe(0);
  expect(stdout).toMatch(/MODEL +GPU +REPLICAS +\$\/H/);
  expect(stdout).toMatch(/optimal \$\d+\.\d\d\/h {2}gap 0\.00 % {2}age 2 s/);
  expect(stdout).toMatch(/best single type: \S+ \$\d+\.\d\d\/h; the mix saves [1-9]\d* %/);
  expect(stdout).toMatch(/curl -s 'http:\/\/127\.0\.0\.1:\d+\/apis\/custom\.metrics\.k8s\.io/);
});
