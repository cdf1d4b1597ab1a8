import { namespaceOf } from '../../vocabulary/deployment-key.ts';
import type { Snapshot, Variant } from '../../vocabulary/planning-documents.ts';

/** GPUs that several variants draw on: those of one type, or those that a namespace may have. */
export interface Pool {
  /** For people: `H100`, `H100 in namespace serving`. */
  readonly name: string;
  readonly gpus: number;
  takes(variant: Pick<Variant, 'name' | 'gpu'>): boolean;
}

/** In place of a GPU type in a quota: all of them together. */
export const anyGpuType = '*';

/** What a snapshot limits, in order of name; the stock of each type first. */
export const poolsOf = ({ stock, quotas = {} }: Pick<Snapshot, 'stock' | 'quotas'>): readonly Pool[] => [
  ...byName(stock).map(([type, gpus]) => ({ name: type, gpus, takes: ({ gpu }: Variant) => gpu === type })),
  ...byName(quotas).flatMap(([namespace, quota]) =>
    byName(quota).map(([type, gpus]) => ({
      name: `${type === anyGpuType ? 'GPUs' : type} in namespace ${namespace}`,
      gpus,
      takes: ({ name, gpu }: Variant) => namespaceOf(name) === namespace && (type === anyGpuType || gpu === type),
    })),
  ),
];

const byName = <Value>(record: Readonly<Record<string, Value>>): readonly (readonly [string, Value])[] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
