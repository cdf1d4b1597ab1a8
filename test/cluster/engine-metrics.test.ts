import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  activityOfAll,
  countedBetween,
  countedTogether,
  type EngineActivity,
  type EngineCounts,
  engineCounts,
  engineOccupancy,
} from '../../src/cluster/engine-metrics.ts';

const vllm = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 2.0
vllm:num_requests_running{engine="1",model_name="m"} 1.0
vllm:num_requests_waiting{model_name="m"} 4.0
vllm:request_success_total{finished_reason="stop",model_name="m"} 6.0
vllm:request_success_total{finished_reason="length",model_name="m"} 1.0
vllm:prompt_tokens_total{model_name="m"} 700.0
vllm:generation_tokens_total{model_name="m"} 70.0
vllm:time_to_first_token_seconds_bucket{le="0.5",model_name="m"} 3.0
vllm:time_to_first_token_seconds_bucket{model_name="m",le="+Inf"} 7.0
vllm:e2e_request_latency_seconds_bucket{le="+Inf",model_name="m"} 7.0
`;

test.each([
  { engine: 'vLLM, all its engines and reasons together', text: vllm, occupancy: { inFlight: 7, served: 777, ended: 7 } },
  {
    engine: 'SGLang',
    text: 'sglang:num_running_reqs 1\nsglang:num_queue_reqs 2\nsglang:num_requests_total 5\nsglang:prompt_tokens_total 50\n',
    occupancy: { inFlight: 3, served: 55, ended: 5 },
  },
  {
    engine: 'llama.cpp, which counts no requests',
    text: 'llamacpp:requests_processing 1\nllamacpp:prompt_tokens_total 50\n',
    occupancy: { inFlight: 1, served: 50, ended: null },
  },
  { engine: 'an engine that says nothing of what it has served', text: 'vllm:num_requests_running 1\n', occupancy: null },
  { engine: 'an engine that nobody knows', text: 'other:requests 1\nother:served_total 1\n', occupancy: null },
  { engine: 'what is no number', text: 'vllm:num_requests_running NaN\nvllm:prompt_tokens_total x\n', occupancy: null },
  { engine: 'no text', text: '', occupancy: null },
])('how busy is $engine', ({ text, occupancy }) => {
  expect(engineOccupancy(text)).toEqual(occupancy);
});

test('counts of requests, tokens and times; a time that is not there is not counted', () => {
  expect(engineCounts(vllm)).toEqual({
    ...{ requests: 7, promptTokens: 700, generatedTokens: 70, tpot: null },
    ttft: new Map([
      [0.5, 3],
      [Number.POSITIVE_INFINITY, 7],
    ]),
    e2e: new Map([[Number.POSITIVE_INFINITY, 7]]),
  });
  expect(engineCounts('llamacpp:requests_processing 1\nllamacpp:prompt_tokens_total 50\n')).toBeNull();
});

const activity = (more: Partial<EngineActivity>): EngineActivity => ({ quietSince: null, busyAt: null, sample: null, ...more });
const sample = (at: number, inFlight: number, ended: number | null) => ({ at, inFlight, ended });

test.each<{ name: string; of: readonly EngineActivity[]; all: EngineActivity | null }>([
  { name: 'of nobody', of: [], all: null },
  {
    name: 'quiet since the last of them was, busy when the last of them was',
    of: [activity({ quietSince: 10, busyAt: 9 }), activity({ quietSince: 30, busyAt: 29 })],
    all: activity({ quietSince: 30, busyAt: 29 }),
  },
  {
    name: 'not quiet while one is not',
    of: [activity({ quietSince: 10 }), activity({ busyAt: 5 })],
    all: activity({ busyAt: 5 }),
  },
  {
    name: 'a sample once all were heard',
    of: [activity({ sample: sample(1, 2, 3) }), activity({ sample: sample(4, 5, 6) })],
    all: activity({ sample: sample(4, 7, 9) }),
  },
  { name: 'none while one was not', of: [activity({ sample: sample(1, 2, 3) }), activity({})], all: activity({}) },
  {
    name: 'ends are counted where all count them',
    of: [activity({ sample: sample(1, 2, 3) }), activity({ sample: sample(1, 2, null) })],
    all: activity({ sample: sample(1, 4, null) }),
  },
])('the activity of several engines: $name', ({ of, all }) => {
  expect(activityOfAll(of)).toEqual(all);
});

const count = fc.nat({ max: 1000 });
const buckets = fc.option(
  fc.tuple(count, count).map(
    ([fast, all]) =>
      new Map([
        [0.5, fast],
        [Number.POSITIVE_INFINITY, all],
      ]),
  ),
);
const counts: fc.Arbitrary<EngineCounts> = fc.record({
  ...{ requests: count, promptTokens: count, generatedTokens: count },
  ...{ ttft: buckets, tpot: buckets, e2e: buckets },
});

test('what two looks are apart is what was counted between them, and a restart tells nothing', () => {
  fc.assert(
    fc.property(counts, counts, (before, more) => {
      const after = countedTogether([before, more])!;
      const between = countedBetween(before, after)!;
      expect([between.requests, between.promptTokens, between.generatedTokens]).toEqual([
        more.requests,
        more.promptTokens,
        more.generatedTokens,
      ]);
      for (const time of ['ttft', 'tpot', 'e2e'] as const)
        expect(between[time]).toEqual(before[time] === null || more[time] === null ? null : more[time]);
      if (more.requests > 0) expect(countedBetween(after, before)).toBeNull();
    }),
  );
  expect(countedTogether([])).toBeNull();
});
