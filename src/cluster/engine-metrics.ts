import type { EngineSample } from '../vocabulary/engine-sample.ts';

/** How busy an engine says it is. */
export interface EngineLoad {
  /** Requests in it, running and waiting. */
  readonly inFlight: number;
  /** Sum of counters that any request moves. */
  readonly served: number;
  /** Requests that have ended since it began; null = it does not count them. */
  readonly ended: number | null;
}

/** What some engines say of requests, all taken together. Times are Unix seconds. */
export interface EngineReport {
  /** Since when none of them has had a request; null = one has, or one was not heard. */
  readonly quietSince: number | null;
  /** When one of them last had a request; null = never, as far as was seen. */
  readonly busyAt: number | null;
  /** What all of them said when they were last heard; null = one was not heard. */
  readonly sample: EngineSample | null;
}

/** null where nobody reports. */
export const together = (reports: readonly EngineReport[]): EngineReport | null => {
  if (reports.length === 0) return null;
  const quiet = reports.map(({ quietSince }) => quietSince);
  const busy = reports.flatMap(({ busyAt }) => busyAt ?? []);
  return {
    quietSince: quiet.includes(null) ? null : Math.max(...quiet.map((since) => since ?? 0)),
    busyAt: busy.length === 0 ? null : Math.max(...busy),
    sample: sampledTogether(reports.map(({ sample }) => sample)),
  };
};

const sampledTogether = (samples: readonly (EngineSample | null)[]): EngineSample | null => {
  const known = samples.flatMap((one) => one ?? []);
  if (known.length < samples.length) return null;
  return {
    at: Math.max(...known.map(({ at }) => at)),
    inFlight: known.reduce((sum, { inFlight }) => sum + inFlight, 0),
    ended: known.reduce<number | null>((sum, { ended }) => (sum === null || ended === null ? null : sum + ended), 0),
  };
};

/** What engines call it: gauges of requests in flight, the counter of those that ended, and counters that any request moves. */
const engines = [
  {
    inFlight: ['vllm:num_requests_running', 'vllm:num_requests_waiting'],
    ended: 'vllm:request_success_total',
    served: ['vllm:request_success_total', 'vllm:prompt_tokens_total', 'vllm:generation_tokens_total'],
  },
  {
    inFlight: ['sglang:num_running_reqs', 'sglang:num_queue_reqs'],
    ended: 'sglang:num_requests_total',
    served: ['sglang:num_requests_total', 'sglang:prompt_tokens_total', 'sglang:generation_tokens_total'],
  },
  {
    inFlight: ['llamacpp:requests_processing', 'llamacpp:requests_deferred'],
    ended: null,
    served: ['llamacpp:prompt_tokens_total', 'llamacpp:tokens_predicted_total'],
  },
];

/**
 * The load in an engine's metrics, in Prometheus' text format; null where no engine that is known wrote them, or too
 * little of it to tell.
 * @example engineLoad('vllm:num_requests_running{model_name="a"} 2\nvllm:request_success_total 7\n') // => { inFlight: 2, served: 7, ended: 7 }
 */
export const engineLoad = (text: string): EngineLoad | null => {
  const sums = sumsOf(text);
  const sum = (names: readonly string[]) => {
    const known = names.flatMap((name) => sums.get(name) ?? []);
    return known.length === 0 ? null : known.reduce((total, value) => total + value, 0);
  };
  for (const { inFlight: gauges, served: counters, ended } of engines) {
    const [inFlight, served] = [sum(gauges), sum(counters)];
    if (inFlight !== null && served !== null) return { inFlight, served, ended: ended === null ? null : sum([ended]) };
  }
  return null;
};

/** Samples by name, summed over labels; what is not a sample is left out. */
const sumsOf = (text: string): ReadonlyMap<string, number> => {
  const sums = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+(\S+)/.exec(line) ?? [];
    if (name !== undefined && Number.isFinite(Number(value))) sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
};
