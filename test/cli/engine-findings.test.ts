import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { askEngine, type EngineAnswer, engineFindings } from '../../src/cli/engine-findings.ts';

const one = (answer: EngineAnswer['answer'], deployment = 'ns/a'): EngineAnswer => ({
  deployment,
  url: 'http://h:8000/metrics',
  answer,
});
const vllm = ['vllm:num_requests_running 0', 'vllm:num_requests_waiting 0', 'vllm:request_success_total 3', ''].join('\n');
const well = one({ status: 200, text: vllm });

test('engines that tell how busy they are are well, and without a pod there is nothing to say', () => {
  expect(engineFindings([well], false)).toMatchObject([{ verdict: 'ok' }]);
  expect(engineFindings([], true)).toEqual([]);
});

test.each([
  [{ status: 401, text: '' }, 'has an engine that asks for credentials at http://h:8000/metrics'],
  [{ status: 404, text: '' }, 'has an engine that answers 404 at http://h:8000/metrics'],
  [{ problem: 'ECONNREFUSED' }, 'has an engine that gives no metrics (ECONNREFUSED) at http://h:8000/metrics'],
  [
    { status: 200, text: 'up 1\n' },
    'has an engine whose metrics are none of vLLM, SGLang and their like at http://h:8000/metrics',
  ],
])('an engine that answers %j', (answer, seen) => {
  expect(engineFindings([well, one(answer, 'ns/b')], false)).toMatchObject([
    { verdict: 'note', id: 'engine-metrics', object: 'Deployment ns/b', seen: `${seen}: only records show whether it is idle` },
  ]);
});

test('from outside of the cluster whoever answers at the address of a pod says nothing, unless one is known as an engine', () => {
  const answers = [{ problem: 'TimeoutError' }, { problem: 'ECONNREFUSED' }, { status: 404, text: 'not here' }];
  for (const answer of answers) {
    const odd = one(answer, 'ns/b');
    expect(engineFindings([odd], false)).toMatchObject([{ verdict: 'unknown', object: 'Engines' }]);
    for (const told of [engineFindings([well, odd], false), engineFindings([odd], true)])
      expect(told).toMatchObject([{ verdict: 'note', object: 'Deployment ns/b' }]);
  }
});

test('it is asked over HTTP, and a port that nobody listens on is told as such', async () => {
  const server = createServer((_, response) => response.writeHead(401).end('no')).listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
  expect(await askEngine(url, 5000)).toEqual({ status: 401, text: 'no' });
  await new Promise((done) => server.close(done));
  expect(await askEngine(url, 5000)).toEqual({ problem: 'ECONNREFUSED' });
});
