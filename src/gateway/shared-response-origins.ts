import type { Store } from '../workload/store.ts';

/** What the gateways of one Redis tell each other of responses. Without an answer a gateway goes by what it knows itself. */
export interface SharedResponseOrigins {
  write(id: string, origin: string): Promise<void>;
  read(id: string): Promise<string | null>;
}

/** As long as engines may keep responses, as far as anybody continues them (s). */
const sharedSeconds = 86_400;
/** Ids of engines are shorter; those of clients may be anything. */
const longestId = 200;

/** Responses by a key for each in the store. */
export const sharedThrough = (store: Pick<Store, 'read' | 'write'>, keyPrefix: string): SharedResponseOrigins => {
  const keyOf = (id: string): string => `${keyPrefix}response:${id}`;
  return {
    write: async (id, origin) => {
      if (id.length <= longestId) await store.write(keyOf(id), origin, sharedSeconds);
    },
    read: async (id) => (id.length <= longestId ? ((await store.read([keyOf(id)]))[0] ?? null) : null),
  };
};
