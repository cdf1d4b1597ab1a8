import type { Store } from '../workload/store.ts';

/** How a store does. `slow`: of four ticks three time out. */
export type StoreState = 'up' | 'away' | 'slow' | 'read-only';

/** A store that fails as Redis does. @param inner asked anew each time, so that it can be replaced by an empty one */
export const faultyStore = (inner: () => Store, state: () => StoreState, now: () => number): Store => {
  const reading = <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    if (state() === 'away') return Promise.reject(new Error('ECONNREFUSED'));
    if (state() === 'slow' && Math.floor(now()) % 20 < 15) return Promise.reject(new Error('Command timed out'));
    return ask();
  };
  const writing = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
    state() === 'read-only' ? Promise.reject(new Error('READONLY')) : reading(ask);
  return {
    time: () => reading(() => inner().time()),
    read: (keys) => reading(() => inner().read(keys)),
    readFields: (key, names) => reading(() => inner().readFields(key, names)),
    write: (key, value, expiry) => writing(() => inner().write(key, value, expiry)),
    writeField: (key, field, value) => writing(() => inner().writeField(key, field, value)),
    removeField: (key, field) => writing(() => inner().removeField(key, field)),
    addRecord: (...record) => writing(() => inner().addRecord(...record)),
    keepPlan: (key, plan, expiry) => writing(() => inner().keepPlan(key, plan, expiry)),
    close: async () => {},
  };
};
