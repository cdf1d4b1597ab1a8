import { expect, test } from 'vitest';
import { embeddedWorld, traffics } from '../../src/cli/demo.ts';
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
    stderr: 'gpumix: there is no command "toString"; gpumix --help lists them (BAD_USAGE)\n',
  });
});

test('a slip of the keys is asked about', async () => {
  expect((await run('sevre')).stderr).toBe('gpumix: there is no command "sevre"; did you mean serve? (BAD_USAGE)\n');
  expect((await run('demo', '--tick', '1')).stderr).toBe(
    'gpumix demo: there is no flag --tick; did you mean --ticks? (BAD_USAGE)\n',
  );
});

test.each(['serve', 'gateway', 'explain', 'doctor'])('%s reads the environment that it is started with', async (command) => {
  const said: string[] = [];
  const io = { stdout: () => {}, stderr: (text: string) => void said.push(text) };
  expect(await main([command, ...(command === 'explain' ? ['ns/a'] : [])], io, { GPUMIX_INTERVAL_SECONDS: 'x' })).toBe(2);
  expect(said).toEqual([`gpumix ${command}: GPUMIX_INTERVAL_SECONDS is "x": not a number (BAD_SETTING)\n`]);
});

test.each(['serve', 'plan', 'demo', 'replay'])('%s --help names its flags', async (command) => {
  const { status, stdout } = await run(command, '--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^usage: gpumix \w+ .+\n[\s\S]+:\n {2}--/);
});

test.each([
  [['demo', '--ticks', 'many'], 'gpumix demo: --ticks is "many", not a whole number from 1 (BAD_USAGE)\n'],
  [['demo', '--ticks', '1.5'], 'gpumix demo: --ticks is "1.5", not a whole number from 1 (BAD_USAGE)\n'],
  [['demo', '--port', '99999'], /^gpumix demo: --port is "99999", not a port[^\n]*\n$/],
  [['profile', 'd', '--cost', '-1'], /^gpumix profile: [^\n]*result\/d\.jsonl: cannot be read[^\n]*\n$/],
  [['profile', '--check', '--cost', '1'], /^gpumix profile: --cost is of no use with --check[^\n]*\n$/],
  [['profile', 'd', '--seconds', '1'], /^gpumix profile: --seconds is of no use without --check[^\n]*\n$/],
  [['benchmark', '--dry-run', '--endpoint', 'ftp://h'], /^gpumix benchmark: --endpoint is "ftp:\/\/h", not an http[^\n]*\n$/],
  [['benchmark', '--dry-run', '--api', 'embeddings'], /^gpumix benchmark: --api is "embeddings", not[^\n]*\n$/],
  [['benchmark', '--dry-run', '--tokenizer', '/nowhere'], /^gpumix benchmark: --tokenizer \/nowhere: cannot be read[^\n]*\n$/],
  [['benchmark', '--dry-run', '--precision', '-1'], /^gpumix benchmark: --precision is "-1", not a number from 0\.005[^\n]*\n$/],
  [['gateway', '--endpoints', import.meta.filename], /^gpumix gateway: [^\n]*gpumix\.test\.ts: [^\n]*\n$/],
  [['gateway', '--attempts', '1.5'], /^gpumix gateway: --attempts is "1\.5": not a whole number from 1 [^\n]*\n$/],
  [['demo', '--fast'], 'gpumix demo: there is no flag --fast; --help lists them (BAD_USAGE)\n'],
  [['replay'], 'gpumix replay: --trace is missing (BAD_USAGE)\n'],
  [['replay', '--trace', '/nowhere', '--model', 'm'], /^gpumix replay: \/nowhere: cannot be read: ENOENT.*\n$/],
  [
    ['serve', '--headroom', 'x', '--routing', 'y'],
    'gpumix serve: --headroom is "x": not a number (BAD_SETTING)\ngpumix serve: --routing is "y": none of auto, size, input, load, none (BAD_SETTING)\n',
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

test('demo: serve’s settings, one row a tick, what was spent so far, how to ask while it runs, a closing line; 80 columns', async () => {
  const { status, stdout, stderr } = await run('demo', '--ticks', '2');
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^ +TIME +REQ\/S +L40S +A100-80 +H100 +\$\/H +STATE +GAP\n\d\d:\d\d:\d\d .* fresh +0\.0 %\n/m);
  expect(stdout.match(/^ {2}spent so far: mix \$\S+, best single type \(\S+\) \$\S+, static \$\S+$/gm)).toHaveLength(2);
  expect(stdout).toMatch(/^curl -s 'http:\/\/127\.0\.0\.1:\d+\/apis\/custom\.metrics\.k8s\.io\S+'$/m);
  const [, saved] =
    /\nStopped after 0\.3 minutes of traffic\. The mix cost \$\S+: (\d+) % less\nthan \S+ alone, and \d+ % less than a static fleet\.\n$/.exec(
      stdout,
    )!;
  expect(Number(saved)).toBeGreaterThanOrEqual(15);
  const long = stdout.split('\n').filter((line) => line.length > 80 && !line.startsWith('curl '));
  expect(long).toEqual([]);
});

test('the demo’s mix is worth 15 % or more over twenty minutes of its traffic, of both kinds', async () => {
  for (const kind of ['wave', 'azure']) {
    const world = embeddedWorld(traffics[kind]!.make());
    for (let tick = 0; tick < 120; tick += 1) await world.advance();
    const { mix, single } = world.spent();
    expect(1 - mix / single.cost, kind).toBeGreaterThanOrEqual(0.15);
  }
});
