/** How many answers are kept, and for how long. */
export interface CacheLimits {
  readonly entries: number;
  readonly milliseconds: number;
  /** Milliseconds of any clock that never goes back. */
  readonly clock: () => number;
}

export type CachedLookUp<Value> = (key: string, lookUp: () => Promise<Value>, keep?: boolean) => Promise<Value>;

/**
 * Remembers what `lookUp` answered for a key. Concurrent questions with one key share one look-up; a failed look-up is
 * not remembered. When full, the oldest entry goes.
 */
export const remembered = <Value>({ entries, milliseconds, clock }: CacheLimits): CachedLookUp<Value> => {
  const known = new Map<string, { readonly answer: Promise<Value>; expires: number }>(); // the oldest first
  const forgetOldest = (): void => {
    for (const [key, { expires }] of known) {
      if (expires > clock() && known.size <= entries) return;
      known.delete(key);
    }
  };
  return (key, lookUp, keep = true) => {
    const found = known.get(key);
    if (found !== undefined && found.expires > clock()) return found.answer;
    const entry = { answer: lookUp(), expires: Number.POSITIVE_INFINITY };
    known.delete(key); // to move it to the end: a Map keeps the order of insertion
    known.set(key, entry);
    forgetOldest();
    const forget = () => known.get(key) === entry && known.delete(key);
    entry.answer.then(() => {
      if (keep) entry.expires = clock() + milliseconds;
      else forget();
    }, forget);
    return entry.answer;
  };
};
