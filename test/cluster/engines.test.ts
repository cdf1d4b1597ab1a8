import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { engineOccupancy } from '../../src/cluster/engine-metrics.ts';
import { watchEngines } from '../../src/cluster/engines.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { deploymentPod } from '../helpers/pods.ts';

test.each([
  [
    'vLLM, summed over its labels',
    [
      '# HELP vllm:num_requests_running Number of requests in model execution batches.',
      '# TYPE vllm:num_requests_running gauge',
      'vllm:num_requests_running{model_name="a b",engine="0"} 2.0',
      'vllm:num_requests_running{model_name="a b",engine="1"} 1.0',
      'vllm:num_requests_waiting{model_name="a b"} 4.0',
      'vllm:request_success_total{finished_reason="stop",model_name="x}y"} 7.0',
      'vllm:request_success_total{finished_reason="abort"} 1.0 1732500000000',
      'vllm:time_to_first_token_seconds_bucket{le="+Inf"} 9',
    ],
    { inFlight: 7, served: 8, ended: 8 },
  ],
  [
    'SGLang',
    ['sglang:num_running_reqs 0', 'sglang:num_queue_reqs 0', 'sglang:prompt_tokens_total 12'],
    { inFlight: 0, served: 12, ended: null },
  ],
  ['llama.cpp', ['llamacpp:requests_processing 1', 'llamacpp:prompt_tokens_total 3'], { inFlight: 1, served: 3, ended: null }],
  ['a gauge without a counter', ['vllm:num_requests_running 0'], null],
  ['a counter without a gauge', ['vllm:request_success_total 5'], null],
  ['NaN', ['vllm:num_requests_running NaN', 'vllm:request_success_total 5'], null],
  ['something else', ['<html>', 'up 1'], null],
])('%s', (_name, lines, load) => {
  expect(engineOccupancy(lines.join('\n'))).toEqual(load);
});

const pod = (name: string, more: Partial<DeploymentPod> = {}) => deploymentPod(name, { ip: '10.0.0.1', ...more });
const setUp = () => {
  const answers = new Map<string, string>();
  const asked: string[] = [];
  const engines = watchEngines({ port: 8000, timeoutSeconds: 1, validSeconds: 30 }, async (url) => {
    asked.push(url);
    const answer = answers.get(url);
    if (answer === undefined) throw new Error('ECONNREFUSED');
    return answer;
  });
  const say = (ip: string, inFlight: number, served: number, port = 8000) =>
    answers.set(`http://${ip}:${port}/metrics`, `vllm:num_requests_running ${inFlight}\nvllm:request_success_total ${served}\n`);
  const observe = async (pods: readonly DeploymentPod[], now: number) => {
    engines.observe(pods, () => now);
    await sleep(5);
  };
  return { engines, answers, asked, say, observe };
};

test('quiet since the first time it was heard, until a request is in it or was', async () => {
  const { engines, say, observe } = setUp();
  const pods = [pod('a')];
  expect(engines.activity(pods, 100)).toMatchObject({ quietSince: null, busyAt: null });
  say('10.0.0.1', 0, 5);
  await observe(pods, 100);
  await observe(pods, 110);
  expect(engines.activity(pods, 110)).toMatchObject({ quietSince: 100, busyAt: null });
  say('10.0.0.1', 0, 6);
  await observe(pods, 120);
  expect(engines.activity(pods, 120)).toMatchObject({ quietSince: null, busyAt: 120 });
  await observe(pods, 130);
  expect(engines.activity(pods, 130)).toMatchObject({ quietSince: 130, busyAt: 120 });
  say('10.0.0.1', 1, 6);
  await observe(pods, 140);
  expect(engines.activity(pods, 140)).toMatchObject({ quietSince: null, busyAt: 140 });
});

test('one that is not heard, not heard of late or not the same any more is not quiet', async () => {
  const { engines, answers, say, observe } = setUp();
  const pods = [pod('a'), pod('b', { ip: 'fd00::2' })];
  say('10.0.0.1', 0, 5);
  say('[fd00::2]', 0, 5);
  await observe(pods, 100);
  expect(engines.activity(pods, 100)?.quietSince).toBe(100);
  expect(engines.activity(pods, 131)?.quietSince).toBe(null);
  expect(engines.activity([pod('a', { incarnation: 'again' })], 100)?.quietSince).toBe(null);
  answers.delete('http://[fd00::2]:8000/metrics');
  await observe(pods, 110);
  expect(engines.activity(pods, 110)?.quietSince).toBe(null);
  expect(engines.activity([pod('a')], 110)?.quietSince).toBe(100);
});

test('only Ready pods count, at the port that their labels name; those no longer asked about are forgotten', async () => {
  const { engines, asked, say, observe } = setUp();
  const labelled = pod('a', { labels: { 'model.aibrix.ai/port': '9000', 'model.aibrix.ai/metric-port': '9100' } });
  const pods = [labelled, pod('b', { ready: false, ip: '10.0.0.2' })];
  say('10.0.0.1', 0, 5, 9100);
  await observe(pods, 100);
  expect(asked).toEqual(['http://10.0.0.1:9100/metrics']);
  expect(engines.activity(pods, 100)?.quietSince).toBe(100);
  expect(engines.activity([pod('b', { ready: false })], 100)).toBe(null);
  await observe([], 105);
  expect(engines.activity(pods, 105)?.quietSince).toBe(null);
});
