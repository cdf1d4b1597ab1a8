import type { Store } from './store.ts';

/** A store in this process, for the demo: no server, same behaviour as far as {@link Store} goes. */
export const memoryStore = (now: () => number): Store => {
  const values = new Map<string, { readonly value: string; readonly expires: number }>();
  const hashes = new Map<string, Record<string, string>>();
  return {
    time: async () => now(),
    read: async (keys) =>
      keys.map((key) => {
        const found = values.get(key);
        return found === undefined || found.expires <= now() ? null : found.value;
      }),
    write: async (key, value, expirySeconds) => {
      // Oldest first: what was written last expires last, as long as all lifetimes are alike; others wait a little longer.
      for (const [old, { expires }] of values) {
        if (expires > now()) break;
        values.delete(old);
      }
      values.delete(key);
      values.set(key, { value, expires: now() + expirySeconds });
    },
    readFields: async (key) => ({ ...hashes.get(key) }),
    writeField: async (key, field, value) => {
      hashes.set(key, { ...hashes.get(key), [field]: value });
    },
    close: async () => {},
  };
};
