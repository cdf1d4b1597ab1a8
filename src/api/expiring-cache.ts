/** How many answers are kept, and for how long. */
export interface CacheLimits {
  readonly entries: number;
  readonly milliseconds: number;
  /** Milliseconds of any clock that never goes back. */
  readonly clock: () => number;
}

interface Entry<Value> {
  readonly value: Value;
  readonly expires: number;
}

/** The answer at once where it is remembered, else to come. */
export type Recall<Value> = (key: string, lookUp: () => Promise<Value>, keep?: boolean) => Value | Promise<Value>;

/**
 * Remembers what `lookUp` answered for a key. Concurrent questions with one key share one look-up; a failed look-up is
 * not remembered. When full, the oldest entry goes.
 */
export const remembered = <Value>({ entries, milliseconds, clock }: CacheLimits): Recall<Value> => {
  const known = new Map<string, Entry<Value>>();
  const running = new Map<string, Promise<Value>>();
  const remember = (key: string, value: Value): void => {
    known.delete(key); // to move it to the end: a Map keeps the order of insertion
    known.set(key, { value, expires: clock() + milliseconds });
    forgetOldest();
  };
  /** What has expired, and what is too much. */
  const forgetOldest = (): void => {
    for (const [key, { expires }] of known) {
      if (expires > clock() && known.size <= entries) return;
      known.delete(key);
    }
  };
  const ask = async (key: string, lookUp: () => Promise<Value>, keep: boolean): Promise<Value> => {
    try {
      const value = await lookUp();
      if (keep) remember(key, value);
      return value;
    } finally {
      running.delete(key);
    }
  };
  return (key, lookUp, keep = true) => {
    const found = known.get(key);
    if (found !== undefined && found.expires > clock()) return found.value;
    const shared = running.get(key);
    if (shared !== undefined) return shared;
    const asked = ask(key, lookUp, keep);
    running.set(key, asked);
    return asked;
  };
};
