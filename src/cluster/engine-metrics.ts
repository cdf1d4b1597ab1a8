import type { EngineSample, LatencyBuckets } from '../vocabulary/engine-sample.ts';

/** How busy an engine says it is. */
export interface EngineOccupancy {
  /** Requests in it, running and waiting. */
  readonly inFlight: number;
  /** Sum of counters that any request moves. */
  readonly served: number;
  /** Requests that have ended since it began; null = it does not count them. */
  readonly ended: number | null;
}

/** What some engines say of requests, all taken together. Times are Unix seconds. */
export interface EngineActivity {
  /** Since when none of them has had a request; null = one has, or one was not heard. */
  readonly quietSince: number | null;
  /** When one of them last had a request; null = never, as far as was seen. */
  readonly busyAt: number | null;
  /** What all of them said when they were last heard; null = one was not heard. */
  readonly sample: EngineSample | null;
}

/** What an engine has counted since it began. */
export interface EngineCounts {
  readonly requests: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Of requests, by their time to the first token, per further token, and to the last; null = not counted. */
  readonly ttft: LatencyBuckets | null;
  readonly tpot: LatencyBuckets | null;
  readonly e2e: LatencyBuckets | null;
}

/** null where nobody is heard. */
export const activityOfAll = (activities: readonly EngineActivity[]): EngineActivity | null => {
  if (activities.length === 0) return null;
  const quiet = activities.map(({ quietSince }) => quietSince);
  const busy = activities.flatMap(({ busyAt }) => busyAt ?? []);
  return {
    quietSince: quiet.includes(null) ? null : Math.max(...quiet.map((since) => since ?? 0)),
    busyAt: busy.length === 0 ? null : Math.max(...busy),
    sample: sampledTogether(activities.map(({ sample }) => sample)),
  };
};

const sampledTogether = (samples: readonly (EngineSample | null)[]): EngineSample | null => {
  const heard = samples.flatMap((sample) => sample ?? []);
  if (heard.length < samples.length) return null;
  return {
    at: Math.max(...heard.map(({ at }) => at)),
    inFlight: heard.reduce((sum, { inFlight }) => sum + inFlight, 0),
    ended: heard.reduce<number | null>((sum, { ended }) => (sum === null || ended === null ? null : sum + ended), 0),
  };
};

/**
 * What engines call it: gauges of requests in flight, counters that any request moves, and times of requests. Times per token
 * are of use only where they are those of whole requests. null = the engine does not count it.
 */
const engines = [
  {
    inFlight: ['vllm:num_requests_running', 'vllm:num_requests_waiting'],
    requests: 'vllm:request_success_total',
    promptTokens: 'vllm:prompt_tokens_total',
    generatedTokens: 'vllm:generation_tokens_total',
    ttft: 'vllm:time_to_first_token_seconds_bucket',
    tpot: 'vllm:request_time_per_output_token_seconds_bucket',
    e2e: 'vllm:e2e_request_latency_seconds_bucket',
  },
  {
    inFlight: ['sglang:num_running_reqs', 'sglang:num_queue_reqs'],
    requests: 'sglang:num_requests_total',
    promptTokens: 'sglang:prompt_tokens_total',
    generatedTokens: 'sglang:generation_tokens_total',
    ttft: 'sglang:time_to_first_token_seconds_bucket',
    tpot: null,
    e2e: 'sglang:e2e_request_latency_seconds_bucket',
  },
  {
    inFlight: ['llamacpp:requests_processing', 'llamacpp:requests_deferred'],
    requests: null,
    promptTokens: 'llamacpp:prompt_tokens_total',
    generatedTokens: 'llamacpp:tokens_predicted_total',
    ttft: null,
    tpot: null,
    e2e: null,
  },
];

/**
 * How busy an engine is by its metrics, in Prometheus' text format; null where no engine that is known wrote them, or too
 * little of it to tell.
 * @example
 * const text = 'vllm:num_requests_running 2\nvllm:request_success_total 7\n';
 * engineOccupancy(text) // => { inFlight: 2, served: 7, ended: 7 }
 */
export const engineOccupancy = (text: string): EngineOccupancy | null => {
  const { sum } = metricsIn(text);
  for (const { inFlight: gauges, requests, promptTokens, generatedTokens } of engines) {
    const [inFlight, served] = [sum(...gauges), sum(requests, promptTokens, generatedTokens)];
    if (inFlight !== null && served !== null) return { inFlight, served, ended: sum(requests) };
  }
  return null;
};

/** The counts in an engine's metrics, in Prometheus' text format; null where it does not count requests and tokens. */
export const engineCounts = (text: string): EngineCounts | null => {
  const { sum, buckets } = metricsIn(text);
  for (const { ttft, tpot, e2e, ...counters } of engines) {
    const requests = sum(counters.requests);
    const promptTokens = sum(counters.promptTokens);
    const generatedTokens = sum(counters.generatedTokens);
    if (requests === null || promptTokens === null || generatedTokens === null) continue;
    return { requests, promptTokens, generatedTokens, ttft: buckets(ttft), tpot: buckets(tpot), e2e: buckets(e2e) };
  }
  return null;
};

/** Samples of Prometheus' text format, summed over their labels; null where there is none. What is no sample is left out. */
const metricsIn = (text: string) => {
  const samplesByName = Map.groupBy(text.split('\n').flatMap(sampleOf), ({ name }) => name);
  const found = (name: string | null) => (name === null ? [] : (samplesByName.get(name) ?? []));
  return {
    sum: (...names: readonly (string | null)[]): number | null => {
      const samples = names.flatMap(found);
      return samples.length === 0 ? null : samples.reduce((total, { value }) => total + value, 0);
    },
    buckets: (name: string | null): LatencyBuckets | null => {
      const counts = new Map<number, number>();
      for (const { labels, value } of found(name)) counts.set(boundOf(labels), (counts.get(boundOf(labels)) ?? 0) + value);
      return counts.size === 0 ? null : counts;
    },
  };
};

const sampleOf = (line: string): readonly { readonly name: string; readonly labels: string; readonly value: number }[] => {
  const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line) ?? [];
  return name !== undefined && Number.isFinite(Number(value)) ? [{ name, labels, value: Number(value) }] : [];
};

const boundOf = (labels: string): number => {
  const [, bound = '+Inf'] = /(?:^|,)le="([^"]*)"/.exec(labels) ?? [];
  return bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
};

/** What was counted between two looks at one engine; null where a counter went back, as after a restart. */
export const countedBetween = (before: EngineCounts, after: EngineCounts): EngineCounts | null => {
  const requests = after.requests - before.requests;
  const promptTokens = after.promptTokens - before.promptTokens;
  const generatedTokens = after.generatedTokens - before.generatedTokens;
  if (Math.min(requests, promptTokens, generatedTokens) < 0) return null;
  const less = (name: 'ttft' | 'tpot' | 'e2e') => combined(after[name], before[name], (a, b) => a - b);
  return { requests, promptTokens, generatedTokens, ttft: less('ttft'), tpot: less('tpot'), e2e: less('e2e') };
};

/** The counts of several engines together; a time that one of them does not count is not counted. */
export const countedTogether = (counts: readonly EngineCounts[]): EngineCounts | null =>
  counts.length === 0
    ? null
    : counts.reduce((sum, counted) => {
        const more = (name: 'ttft' | 'tpot' | 'e2e') => combined(sum[name], counted[name], (a, b) => a + b);
        return {
          requests: sum.requests + counted.requests,
          promptTokens: sum.promptTokens + counted.promptTokens,
          generatedTokens: sum.generatedTokens + counted.generatedTokens,
          ttft: more('ttft'),
          tpot: more('tpot'),
          e2e: more('e2e'),
        };
      });

const combined = (
  a: LatencyBuckets | null,
  b: LatencyBuckets | null,
  of: (a: number, b: number) => number,
): LatencyBuckets | null =>
  a === null || b === null ? null : new Map([...a].map(([bound, count]) => [bound, of(count, b.get(bound) ?? 0)]));
