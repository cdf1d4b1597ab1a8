import type { PlanToKeep } from './store.ts';
import { abandonedAfterSeconds, mergedBy, recordConstants, type Store } from './store.ts';

/** A store in this process, for the demo: no server, same behaviour as far as {@link Store} goes. */
export const memoryStore = (now: () => number): Store => {
  const values = new Map<string, { readonly value: string; readonly expires: number }>();
  const hashes = new Map<string, Record<string, string>>();
  const plans = new Map<string, PlanToKeep>();
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
      values.set(key, { value, expires: now() + (expirySeconds ?? Number.POSITIVE_INFINITY) });
    },
    readFields: async (key, names) => {
      const all = Object.entries({ ...hashes.get(key), ...plans.get(key) });
      const asked = all.filter(([name]) => names === undefined || names.includes(name));
      return Object.fromEntries(asked.map(([name, value]) => [name, String(value)]));
    },
    writeField: async (key, field, value) => {
      hashes.set(key, { ...hashes.get(key), [field]: value });
    },
    removeField: async (key, field) => {
      const { [field]: _, ...others } = hashes.get(key) ?? {};
      hashes.set(key, others);
    },
    addRecord: async (key, fields, writer, expirySeconds, round = 1) => {
      const found = values.get(key);
      const before: Record<string, number> = found === undefined || found.expires <= now() ? {} : JSON.parse(found.value);
      const counted = before[mergedBy(writer)];
      if (counted !== undefined && counted >= round) return;
      const record = counted === undefined ? before : {};
      for (const [name, value] of Object.entries(fields))
        record[name] = recordConstants.includes(name) ? value : (record[name] ?? 0) + value;
      record[mergedBy(writer)] = round;
      values.set(key, { value: JSON.stringify(record), expires: now() + expirySeconds });
    },
    keepPlan: async (key, plan) => {
      const last = plans.get(key);
      if (last !== undefined && last.lease === plan.lease) {
        if ((last.transitions - plan.transitions || last.sequence - plan.sequence) >= 0) return 'later';
      } else if (last !== undefined && plan.at - last.at < abandonedAfterSeconds) {
        const others = last.installation !== plan.installation || last.leaseCreatedAt > plan.leaseCreatedAt;
        if (others) return 'other';
      }
      plans.set(key, plan);
      return 'kept';
    },
    close: async () => {},
  };
};
