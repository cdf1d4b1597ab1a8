/** What the engines of a model say at a time (Unix s). */
export interface EngineSample {
  readonly at: number;
  /** Requests in them, running and waiting. */
  readonly inFlight: number;
  /** Requests that have ended since each of them was first heard; null = one of them does not count that. */
  readonly ended: number | null;
}
