/** Requests that a gateway holds for a model that has no replica. */
export interface HeldRequests {
  readonly model: string;
  /** When this was written (Unix s). */
  readonly at: number;
  readonly requests: number;
  /** Tokens of them together: input, and output as expected. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** A plan and its place in the order of all plans: of one installation by Lease, and of one Lease by (transitions, sequence). */
export interface PlanToKeep {
  /** `namespace/name` of the installation's Service. */
  readonly installation: string;
  /** uid of the Lease under which it was made, and when that was created (Unix s). */
  readonly lease: string;
  readonly leaseCreatedAt: number;
  readonly transitions: number;
  readonly sequence: number;
  /** The store's clock (Unix s). */
  readonly at: number;
  readonly document: string;
}

/** The few things that gpumix does with the store that the gateway writes to. Redis, and in the demo a map in memory. */
export interface Store {
  /** The store's own clock (Unix seconds, with fraction). */
  time(): Promise<number>;
  /** Values of keys, in order; null where a key is absent. */
  read(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** @param expirySeconds null = it stays */
  write(key: string, value: string, expirySeconds: number | null): Promise<void>;
  /** Fields of a hash: those that are named and there, or else all. */
  readFields(key: string, names?: readonly string[]): Promise<Readonly<Record<string, string>>>;
  writeField(key: string, field: string, value: string): Promise<void>;
  /** Replaces the plan under this key at once, unless what is there is later or of another living installation. */
  keepPlan(key: string, plan: PlanToKeep, expirySeconds: number): Promise<'kept' | 'later' | 'other'>;
  removeField(key: string, field: string): Promise<void>;
  /**
   * Adds a gateway's numbers of an interval to those that others have written under this key, in one step. A writer's numbers are
   * taken once: told again, they change nothing. Told in a later round, as the clock has come to this interval again, they take
   * the place of the whole record.
   * @param round 1 unless the writer's clock has stepped back
   */
  addRecord(
    key: string,
    fields: Readonly<Record<string, number>>,
    writer: string,
    expirySeconds: number,
    round?: number,
  ): Promise<void>;
  close(): Promise<void>;
}

/** What another Lease's leader has not renewed for so long (s) may be replaced: nobody is there any more. */
export const abandonedAfterSeconds = 60;

/** In a record that gateways of ours have merged: which of them is in it already. */
export const mergedBy = (writer: string): string => `meta_by_${writer}`;
/** Numbers of a record that say how it is to be read; the others are counts. */
export const recordConstants: readonly string[] = ['meta_v', 'meta_interval_sec', 'meta_precision'];

/** Fields: one per gateway of ours and model; values: see {@link HeldRequests}. */
export const heldKey = (prefix: string): string => `${prefix}held`;

/** Fields: one per gateway of ours; values: end of the interval that it wrote last (Unix s). */
export const heartbeatsKey = (prefix: string): string => `${prefix}heartbeats`;
