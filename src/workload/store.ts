/** The few things that gpumix does with the store that the gateway writes to. Redis, and in the demo a map in memory. */
export interface Store {
  /** The store's own clock (Unix seconds, with fraction). */
  time(): Promise<number>;
  /** Values of keys, in order; null where a key is absent. */
  read(keys: readonly string[]): Promise<readonly (string | null)[]>;
  write(key: string, value: string, expirySeconds: number): Promise<void>;
  /** All fields of a hash; empty where the key is absent. */
  readFields(key: string): Promise<Readonly<Record<string, string>>>;
  writeField(key: string, field: string, value: string): Promise<void>;
  close(): Promise<void>;
}

/** Fields: one per gateway of ours; values: end of the interval that it wrote last (Unix s). */
export const heartbeatsKey = (prefix: string): string => `${prefix}heartbeats`;
