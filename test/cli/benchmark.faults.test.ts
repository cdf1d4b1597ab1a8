import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EngineServer, startEngineServer } from '../../hack/engine/engine-server.ts';
import { parseResults } from '../../src/benchmark/results.ts';
import { main } from '../../src/cli/gpumix.ts';
import { engineSpeed, slowed } from '../../src/simulation/engine-speeds.ts';
import { runCommand } from '../helpers/run-command.ts';
import { standIns } from '../helpers/stand-ins.ts';

const speed = slowed(engineSpeed('H100'), 0.5);
const folder = mkdtempSync(join(tmpdir(), 'gpumix-benchmark-faults-'));
const limits = [
  '--ttft',
  '0.25',
  '--tpot',
  '0.1',
  '--percentile',
  '90',
  '--requests',
  '30',
  '--probe-seconds',
  '1.5',
  '--rate-limit',
  '1000',
];
const usual = ['--input-start', '32', '--input-limit', '32', '--output-start', '8', '--output-limit', '16', ...limits];
const run = (...argv: string[]) => runCommand('benchmark', ...argv);
const { standIn, answering, close } = standIns();

let engine: EngineServer;
beforeAll(async () => {
  engine = await startEngineServer({ speed, model: 'm', host: '127.0.0.1', port: 0, apiKey: null });
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

const events = { 'content-type': 'text/event-stream' };
const token = 'data: {"choices": [{"text": " hi"}]}\n\n';

test.each<[string, RequestListener, RegExp]>([
  [
    'the limit of requests is reached',
    (_, response) => response.writeHead(429).end('{"error": {"message": "slow\\ndown"}}'),
    /: 429 Too Many Requests: slow down \(ENDPOINT_UNUSABLE\)$/,
  ],
  ['it hangs', () => {}, /: no word within 0.3 s \(ENDPOINT_UNUSABLE\)$/],
  [
    'it hangs after a token',
    (_, response) => response.writeHead(200, events).write(token),
    /: no word within 0.3 s \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'it drops the connection mid-stream',
    (_, response) => response.writeHead(200, events).write(token, () => response.destroy()),
    /: the connection was dropped mid-stream \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'it ends the stream early',
    (_, response) => response.writeHead(200, events).end(token),
    /: the stream ended before the answer did \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'its events are malformed',
    (_, response) => response.writeHead(200, events).end('data: {"choices\n\n'),
    /: an event is no JSON object: {"choices \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'it does not stream',
    (_, response) => response.end('{}'),
    /: answers with no type, not with a stream of events \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'it says so mid-stream',
    (_, response) => response.writeHead(200, events).end('data: {"error": "full"}\n\n'),
    /: full \(ENDPOINT_UNUSABLE\)$/,
  ],
  [
    'it is another kind of server',
    (_, response) => response.writeHead(404).end('<h1>no</h1>'),
    /: 404 Not Found: <h1>no<\/h1> \(ENDPOINT_UNUSABLE\)$/,
  ],
])('one clear line where %s', async (_name, answer, message) => {
  const url = await answering(answer);
  const { status, last } = await run('--endpoint', url, '--timeout', '0.3', '-o', join(folder, 'none.jsonl'), ...usual);
  expect([status, last]).toEqual([2, expect.stringMatching(message)]);
  expect(last).toMatch(/^gpumix benchmark: http:\/\/127.0.0.1:\d+\/v1: /);
});

test('one clear line where nobody listens, the key is missing, the model is another', async () => {
  const closed = await standIn(() => {});
  close();
  expect((await run('--endpoint', closed)).last).toMatch(/^gpumix benchmark: http:.*: connect ECONNREFUSED 127/);
  const locked = await startEngineServer({ speed, model: 'm', host: '127.0.0.1', port: 0, apiKey: 'secret' });
  expect((await run('--endpoint', locked.url)).last).toMatch(/\/v1: 401 Unauthorized: see --api-key \(ENDPOINT_UNUSABLE\)$/);
  const wrong = await run('--endpoint', locked.url, '--api-key', 'secret', '-m', 'other');
  expect(wrong.last).toMatch(/\/v1: has no model other; it has m \(ENDPOINT_UNUSABLE\)$/);
  await locked.close();
});

test('an endpoint that breaks later ends the benchmark, and its results so far are kept', async () => {
  const file = join(folder, 'later.jsonl');
  let broken = false;
  const url = await answering((request, response) => {
    let body = '';
    request.on('data', (piece) => {
      body += piece;
    });
    request.on('end', async () => {
      if (broken) return void response.destroy();
      const answer = await fetch(`${engine.url}${request.url}`, { method: 'POST', body });
      response.writeHead(answer.status, events).end(Buffer.from(await answer.arrayBuffer()));
    });
  });
  const io = {
    err: '',
    stdout: () => {},
    stderr: (text: string) => {
      io.err += text;
      if (/ req\/s (kept|not kept|given up)/.test(text)) broken = true;
    },
  };
  const flags = [...usual, '--rate-start', '20'];
  const status = await main(['benchmark', '--endpoint', url, '-o', file, ...flags], io);
  expect([status, io.err.trimEnd().split('\n').at(-1)]).toEqual([
    2,
    expect.stringMatching(/: \d+ of \d+ requests failed: socket hang up \(ENDPOINT_UNUSABLE\)$/),
  ]);
  expect(parseResults(readFileSync(file, 'utf8')).map(({ rate }) => rate)).toEqual(Array(5).fill(20));
});

test('one clear line where the disk is full', async () => {
  const { status, last } = await run('--endpoint', engine.url, '-o', '/dev/full', '--rate-start', '100', ...usual);
  expect([status, last]).toEqual([
    2,
    'gpumix benchmark: /dev/full: cannot be written: ENOSPC: no space left on device, write (BAD_BENCHMARK)',
  ]);
});

test.each([
  [['--input-start', '8', '--input-limit', '4'], '--input-start is above --input-limit'],
  [['--output-start', '1.5'], '--output-start is "1.5", not a whole number from 1'],
  [['--percentile', '95'], '--percentile is "95", not 0, 50, 90 or 99'],
  [['--api', 'grpc'], '--api is "grpc", not completions or chat'],
  [['--endpoint', 'localhost:8010'], '--endpoint is "localhost:8010", not an http or https URL'],
  [['--workload', 'x'], 'there is no flag --workload; --help lists them'],
  [['llama'], 'unexpected argument "llama"; --help says what is expected'],
  [['--api-key-file', '/nowhere'], /^--api-key-file \/nowhere cannot be read: ENOENT/],
])('bad usage %j', async (argv, message) => {
  const { status, last } = await run(...argv);
  expect(status).toBe(2);
  expect(last?.replace('gpumix benchmark: ', '').replace(' (BAD_USAGE)', '')).toMatch(message);
});
