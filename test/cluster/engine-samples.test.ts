import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { countedBetween, engineCounts } from '../../src/cluster/engine-metrics.ts';
import { sampleEngines } from '../../src/cluster/engine-samples.ts';
import { watchDrift } from '../../src/planner/profile-drift-watch.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';
import { deploymentPod } from '../helpers/pods.ts';

/** What vLLM says after so many requests of 1,000 tokens in and 100 out, of which some were late. */
const metrics = (requests: number, late = 0): string =>
  [
    `vllm:request_success_total{finished_reason="stop",model_name="a"} ${requests - 1}`,
    'vllm:request_success_total{finished_reason="length",model_name="a"} 1',
    `vllm:prompt_tokens_total{model_name="a"} ${1000 * requests}`,
    `vllm:generation_tokens_total{model_name="a"} ${100 * requests}`,
    `vllm:time_to_first_token_seconds_bucket{le="2.5",model_name="a"} ${requests - late}`,
    `vllm:time_to_first_token_seconds_bucket{le="+Inf",model_name="a"} ${requests}`,
  ].join('\n');

test('counts of vLLM are summed over labels; of others who do not count requests there are none', () => {
  expect(engineCounts(metrics(300, 20))).toEqual({
    requests: 300,
    promptTokens: 300_000,
    generatedTokens: 30_000,
    ttft: new Map([
      [2.5, 280],
      [Number.POSITIVE_INFINITY, 300],
    ]),
    tpot: null,
    e2e: null,
  });
  expect(engineCounts('llamacpp:prompt_tokens_total 3')).toBeNull();
});

test('counters that went back tell nothing', () => {
  expect(countedBetween(engineCounts(metrics(300))!, engineCounts(metrics(200))!)).toBeNull();
});

const profile = profileOf({ gpu: 'a', cost: 1, indexes: [[100], [1000]], tputs: [[1]], slos: { percentile: 99, ttft: 2 } }, 'p');
const found = new Map([['serving/a', { profile, source: 'key', seenAt: 0, digest: '0' }]]);
const pods = ['p-0', 'p-1', 'p-2', 'p-3'].map((name, index) =>
  deploymentPod(name, { namespace: 'serving', deployment: 'a', ip: `10.0.0.${index}` }),
);
/** Replicas that serve at some rate, looked at every five minutes. */
const setUp = () => {
  const asked: string[] = [];
  const state = { now: 0, requests: 1000, late: 0, gone: false };
  const read = async (url: string) => {
    asked.push(url);
    if (state.gone) throw new Error('gone');
    return metrics(state.requests, state.late);
  };
  const samples = sampleEngines({ port: 8000, timeoutSeconds: 1, windowSeconds: 300 }, read);
  const watch = watchDrift(samples, () => state.now);
  const look = async (seconds: number, requests: number, late = 0, all = pods) => {
    state.now += seconds;
    state.requests += requests;
    state.late += late;
    watch.compare(all, found);
    await sleep(5);
    return watch.compare(all, found);
  };
  return { asked, state, watch, look };
};

test('three replicas of a Deployment are looked at, once in a window', async () => {
  const { asked, look } = setUp();
  await look(0, 0);
  await look(100, 0);
  expect(asked).toEqual(['http://10.0.0.0:8000/metrics', 'http://10.0.0.1:8000/metrics', 'http://10.0.0.2:8000/metrics']);
  await look(200, 0);
  expect(asked).toHaveLength(6);
});

test('a profile that promises too little, and one that promises too much, are named', async () => {
  const { watch, look } = setUp();
  await look(0, 0);
  expect(watch.drifts().size).toBe(0);
  expect(await look(300, 450)).toEqual(['serving/a: serves more within the SLO than its profile says (key): measure it again']);
  expect(watch.drifts().get('serving/a')!.ratio).toBeCloseTo(1.5, 6);
  expect(await look(300, 150, 50)).toEqual([
    'serving/a: misses the SLO though it serves less than its profile says (key): measure it again',
  ]);
  expect(await look(300, 270)).toEqual([]);
  expect(watch.drifts().get('serving/a')!.ratio).toBe(1);
});

test('a restart, and an engine that does not answer, are no evidence', async () => {
  const { state, watch, look } = setUp();
  await look(0, 0);
  const again = pods.map((pod) => ({ ...pod, incarnation: `${pod.incarnation} again` }));
  await look(300, 450, 0, again);
  expect(watch.drifts().size).toBe(0);
  await look(300, 450, 0, again);
  expect(watch.drifts().size).toBe(1);
  state.gone = true;
  await look(300, 450, 0, again);
  expect(watch.drifts().size).toBe(0);
});
