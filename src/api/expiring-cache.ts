/** How many answers are kept, and for how long. */
export interface CacheLimits {
  readonly entries: number;
  readonly milliseconds: number;
  /** Milliseconds of any clock that never goes back. */
  readonly clock: () => number;
}

/** The answer at once where it is remembered, else to come. */
export type Recall<Value> = (key: string, lookUp: () => Promise<Value>, keep?: boolean) => Value | Promise<Value>;

/**
 * Remembers what `lookUp` answered for a key. Concurrent questions with one key share one look-up; a failed look-up is
 * not remembered. When full, the oldest entry goes.
 */
export const remembered = <Value>({ entries, milliseconds, clock }: CacheLimits): Recall<Value> => {
  const known = new Map<string, { readonly value: Value; readonly expires: number }>(); // the oldest first
  const running = new Map<string, Promise<Value>>();
  const remember = (key: string, value: Value): void => {
    known.delete(key); // to move it to the end: a Map keeps the order of insertion
    known.set(key, { value, expires: clock() + milliseconds });
    for (const [oldest, { expires }] of known) {
      if (expires > clock() && known.size <= entries) return;
      known.delete(oldest);
    }
  };
  return (key, lookUp, keep = true) => {
    const found = known.get(key);
    if (found !== undefined && found.expires > clock()) return found.value;
    const asked =
      running.get(key) ??
      lookUp()
        .then((value) => {
          if (keep) remember(key, value);
          return value;
        })
        .finally(() => running.delete(key));
    running.set(key, asked);
    return asked;
  };
};
