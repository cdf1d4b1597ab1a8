import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';
import { redisTarget } from '../../src/cli/profile.ts';
import { parseProfile } from '../../src/profiles/profile-document.ts';
import { type RedisServer, startRedis } from '../helpers/redis.ts';

const results = join(import.meta.dirname, '../fixtures/benchmarks/simulator-llama2-7b-a100.jsonl');
const folder = mkdtempSync(join(tmpdir(), 'gpumix-profile-'));
let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const run = async (...argv: string[]) => {
  const said = { out: '', err: '' };
  const status = await main(['profile', ...argv], {
    stdout: (text) => {
      said.out += text;
    },
    stderr: (text) => {
      said.err += text;
    },
  });
  return { status, ...said };
};

test('a file, with what is ours, that gpumix serve reads', async () => {
  const file = join(folder, 'out.json');
  const flags = ['--ttft', '1', '--tpot', '0.05', '--percentile', '99', '--gpu-type', 'A100-80', '--cost', '3.4'];
  const { status, out } = await run('d', '--benchmark', results, '-o', file, '-v', '--gpus-per-replica', '1', ...flags);
  expect([status, out]).toEqual([0, '']);
  const text = readFileSync(file, 'utf8');
  expect(text.split('\n').length).toBeGreaterThan(50);
  expect(parseProfile(text, file)).toMatchObject({
    deployment: 'd',
    cost: 3.4,
    gpu: 'A100-80',
    gpusPerReplica: 1,
    slo: { percentile: 99, ttft: 1, tpot: 0.05 },
  });
});

test('- is standard output, as without a file', async () => {
  const dash = await run('d', '--benchmark', results, '-o', '-');
  const without = await run('d', '--benchmark', results);
  const timeless = (text: string) => ({ ...JSON.parse(text), created: 'some time' });
  expect([dash.status, timeless(dash.out)]).toEqual([0, timeless(without.out)]);
  expect(parseProfile(dash.out, 'stdout').deployment).toBe('d');
});

test('into Redis, where AIBrix and gpumix look for it', async () => {
  const target = `redis://127.0.0.1:${redis.port}/3?model=a%2Fb`;
  const { status, out } = await run('d', '--benchmark', results, '-o', target);
  expect([status, out]).toEqual([0, 'Result stored in Redis: aibrix:profile_a/b_d.\n']);
  const client = new Redis(redis.port, '127.0.0.1', { db: 3 });
  const stored = JSON.parse((await client.get('aibrix:profile_a/b_d')) ?? '');
  expect([stored.gpu, await client.ttl('aibrix:profile_a/b_d')]).toEqual(['d', -1]);
  client.disconnect();
});

test('Redis URLs', async () => {
  expect(redisTarget('redis://u:p%40ss@h:6380/3?model=a%2Fb')).toEqual({
    url: 'redis://u:p%40ss@h:6380/3',
    model: 'a/b',
  });
  expect(redisTarget('rediss://h?model=m')).toEqual({ url: 'rediss://h', model: 'm' });
  expect(redisTarget('redis://h/?model=m')).toEqual({ url: 'redis://h', model: 'm' });
  const { status, err } = await run('d', '--benchmark', results, '-o', 'redis://h');
  expect([status, err]).toEqual([2, 'gpumix profile: --output names a Redis without ?model=NAME (BAD_USAGE)\n']);
});

test.each([
  [[], 'gpumix profile: name the DEPLOYMENT that was measured (BAD_USAGE)\n'],
  [['d', 'e'], 'gpumix profile: unexpected argument "e"; --help says what is expected (BAD_USAGE)\n'],
  [['d', '--benchmark', 'nowhere.jsonl'], /^gpumix profile: nowhere.jsonl: cannot be read: ENOENT.*\n$/],
  [
    ['d', '--benchmark', results, '--percentile', '95'],
    'gpumix profile: --percentile is "95", not 0, 50, 90 or 99 (BAD_USAGE)\n',
  ],
  [['d', '--benchmark', results, '--e2e', 'fast'], 'gpumix profile: --e2e is "fast", not a number from 0 (BAD_USAGE)\n'],
  [
    ['d', '--benchmark', results, '-o', '/nowhere/x.json'],
    /^gpumix profile: --output \/nowhere\/x.json: cannot be written: ENOENT.*\n$/,
  ],
])('bad usage is one line: %j', async (argv, message) => {
  const { status, err } = await run(...argv);
  expect(status).toBe(2);
  if (typeof message === 'string') expect(err).toBe(message);
  else expect(err).toMatch(message);
});

test('a Redis that is not there', async () => {
  const { status, err } = await run('d', '--benchmark', results, '-o', 'redis://127.0.0.1:1?model=m');
  expect(status).toBe(2);
  expect(err).toMatch(/^gpumix profile: .*127\.0\.0\.1:1.*\n$/);
});

test('--strict refuses what cannot be right', async () => {
  const file = join(folder, 'few.jsonl');
  writeFileSync(
    file,
    '{"input_tokens": 4, "output_tokens": 4, "request_rate": 1.0, "samples": 3, "metric": "TPUT", "mean": 2.0}\n',
  );
  const { status, out, err } = await run('d', '--benchmark', file, '--strict');
  expect([status, out]).toEqual([1, '']);
  expect(err).toBe(
    `gpumix profile: ${file}: line 1: 3 samples are too few; at least 30\ngpumix profile: ${file}: line 1: 2 req/s were served of 1 that were sent\n`,
  );
});

test('limits that no size keeps are exit 1, with the limit, the best that was seen, and no document', async () => {
  const { status, out, err } = await run('d', '--benchmark', results, '--e2e', '0.001', '--percentile', '99');
  expect([status, out]).toEqual([1, '']);
  expect(err).toMatch(
    /jsonl: nothing meets --e2e 0\.001: the best P99 is [\d.]+ \(line \d+: \d+ tokens in, \d+ out at [\d.]+ req\/s\)\n$/,
  );
});

test('what gpumix would refuse is refused, and what nobody asked for is said', async () => {
  const refused = async (...flags: string[]) => (await run('d', '--benchmark', results, ...flags)).err;
  expect(await refused('--cost', '0')).toBe('gpumix profile: --cost is "0", not a number above 0 (BAD_USAGE)\n');
  expect(await refused('--gpus-per-replica', '1.5')).toBe(
    'gpumix profile: --gpus-per-replica is "1.5", not a whole number from 1 (BAD_USAGE)\n',
  );
  const { status, err } = await run('d', '--benchmark', results);
  expect([status, err]).toEqual([
    0,
    'gpumix profile: --cost is not given: the document says 1\ngpumix profile: no limit is given: the document holds for no SLO, and its throughput is what was served at any latency\n',
  ]);
});

test('a rate that reached the limit of the benchmark is refused without a flag', async () => {
  const capped = join(folder, 'capped.jsonl');
  const about = { input_tokens: 8, output_tokens: 8, request_rate: 64, samples: 100, rate_limit: 64 };
  writeFileSync(capped, `${JSON.stringify({ ...about, metric: 'TPUT', mean: 63 })}\n`);
  const flags = ['d', '--benchmark', capped, '--tput', '1', '--cost', '1'];
  const { status, err } = await run(...flags);
  expect([status, err]).toEqual([1, expect.stringMatching(/8 tokens in, 8 out: 63 req\/s .*\n.*--allow-rate-limit\n$/)]);
  expect((await run(...flags, '--allow-rate-limit')).status).toBe(0);
});
