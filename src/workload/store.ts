import type { PlanToKeep } from '../domain.ts';

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
  close(): Promise<void>;
}

/** What another Lease's leader has not renewed for so long (s) may be replaced: nobody is there any more. */
export const abandonedAfterSeconds = 60;

/** Fields: one per gateway of ours; values: end of the interval that it wrote last (Unix s). */
export const heartbeatsKey = (prefix: string): string => `${prefix}heartbeats`;
