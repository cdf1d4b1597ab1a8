/** One variant on the way from what is asked for now to what the plan wants. */
export interface VariantTransition {
  readonly key: string;
  /** Of one replica (money/h). */
  readonly price: number;
  /** What the plan wants. */
  readonly plannedReplicas: number;
  /** What was published last, or else what runs. */
  readonly askedReplicas: number;
  readonly ready: number;
  /** From the creation of a replica to Ready, as learned or else as set (s). */
  readonly startupSeconds: number;
  /** What earlier plans wanted, oldest first: those of the hold-down time, and the one before it. */
  readonly wanted: readonly WantedReplicas[];
}

/** Replicas that a plan wanted, and when (Unix s). */
export interface WantedReplicas {
  readonly at: number;
  readonly replicas: number;
}

/** What mixes can do, by key; a mix lists every variant. */
export interface Mixes {
  /** Whether the demand is served by exactly these replicas; `halfHeadroom`: with half of its headroom. */
  carries(mix: ReadonlyMap<string, number>, halfHeadroom?: boolean): boolean;
  /** Whether there is stock for what one variant has, beside the rest of the mix. */
  fits(mix: ReadonlyMap<string, number>, key: string): boolean;
  /** The cheapest mix that serves the demand with at most these replicas; null = none does. */
  cheapestWithin(most: ReadonlyMap<string, number>): ReadonlyMap<string, number> | null;
  /** The cheapest one with at least these. */
  cheapestAbove(least: ReadonlyMap<string, number>): ReadonlyMap<string, number> | null;
  /** The cheapest one of all with room for what noise may bring. */
  cheapestWithRoom(): ReadonlyMap<string, number> | null;
}
