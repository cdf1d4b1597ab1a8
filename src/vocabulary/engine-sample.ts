/** What the engines of a model say at a time (Unix s). */
export interface EngineSample {
  readonly at: number;
  /** Requests in them, running and waiting. */
  readonly inFlight: number;
  /** Requests that have ended since each of them was first heard; null = one of them does not count that. */
  readonly ended: number | null;
}

/** How many requests took at most so long, by time (s). */
export type LatencyBuckets = ReadonlyMap<number, number>;

/** What some replicas served in a while. */
export interface ServedByEngines {
  readonly requests: number;
  readonly promptTokens: number;
  readonly generatedTokens: number;
  /** Seconds, summed over replicas. */
  readonly podSeconds: number;
  readonly ttft: LatencyBuckets | null;
  readonly tpot: LatencyBuckets | null;
  readonly e2e: LatencyBuckets | null;
}
