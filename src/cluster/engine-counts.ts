/** How many were at most so large, by upper bound (s), as Prometheus' histograms count. */
export type Buckets = ReadonlyMap<number, number>;

/** What an engine has counted since it began. */
export interface EngineCounts {
  readonly requests: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Of requests, by their time to the first token, per further token, and to the last; null = not counted. */
  readonly ttft: Buckets | null;
  readonly tpot: Buckets | null;
  readonly e2e: Buckets | null;
}

/** What engines call it. Times per token are of use only where they are those of whole requests. */
const engines = [
  {
    requests: 'vllm:request_success_total',
    promptTokens: 'vllm:prompt_tokens_total',
    generatedTokens: 'vllm:generation_tokens_total',
    ttft: 'vllm:time_to_first_token_seconds_bucket',
    tpot: 'vllm:request_time_per_output_token_seconds_bucket',
    e2e: 'vllm:e2e_request_latency_seconds_bucket',
  },
  {
    requests: 'sglang:num_requests_total',
    promptTokens: 'sglang:prompt_tokens_total',
    generatedTokens: 'sglang:generation_tokens_total',
    ttft: 'sglang:time_to_first_token_seconds_bucket',
    tpot: null,
    e2e: 'sglang:e2e_request_latency_seconds_bucket',
  },
];

/** The counts in an engine's metrics, in Prometheus' text format; null where it does not count requests and tokens. */
export const engineCounts = (text: string): EngineCounts | null => {
  for (const names of engines) {
    const sums = new Map<string, number>();
    const buckets = new Map<string, Map<number, number>>();
    for (const line of text.split('\n')) {
      const [, name = '', labels = '', number = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line) ?? [];
      const value = Number(number);
      if (number === '' || !Number.isFinite(value)) continue;
      if (name === names.requests || name === names.promptTokens || name === names.generatedTokens)
        sums.set(name, (sums.get(name) ?? 0) + value);
      else if (name !== '' && (name === names.ttft || name === names.tpot || name === names.e2e)) {
        const bound = boundOf(labels);
        const counts = buckets.get(name) ?? new Map<number, number>();
        counts.set(bound, (counts.get(bound) ?? 0) + value);
        buckets.set(name, counts);
      }
    }
    const requests = sums.get(names.requests);
    const promptTokens = sums.get(names.promptTokens);
    const generatedTokens = sums.get(names.generatedTokens);
    if (requests === undefined || promptTokens === undefined || generatedTokens === undefined) continue;
    const of = (name: string | null): Buckets | null => (name === null ? null : (buckets.get(name) ?? null));
    return { requests, promptTokens, generatedTokens, ttft: of(names.ttft), tpot: of(names.tpot), e2e: of(names.e2e) };
  }
  return null;
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
export const countedTogether = (all: readonly EngineCounts[]): EngineCounts | null =>
  all.length === 0
    ? null
    : all.reduce((sum, one) => {
        const more = (name: 'ttft' | 'tpot' | 'e2e') => combined(sum[name], one[name], (a, b) => a + b);
        return {
          requests: sum.requests + one.requests,
          promptTokens: sum.promptTokens + one.promptTokens,
          generatedTokens: sum.generatedTokens + one.generatedTokens,
          ttft: more('ttft'),
          tpot: more('tpot'),
          e2e: more('e2e'),
        };
      });

const combined = (a: Buckets | null, b: Buckets | null, of: (a: number, b: number) => number): Buckets | null =>
  a === null || b === null ? null : new Map([...a].map(([bound, count]) => [bound, of(count, b.get(bound) ?? 0)]));
