import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bucketIndex } from '../../src/workload/bucket-index.ts';

interface Fixture {
  readonly kinds: readonly { readonly inputTokens: number; readonly outputTokens: number; readonly usage: boolean }[];
  readonly requests: readonly (readonly [at: number, seconds: number, kind: number, status: number])[];
  readonly writes: readonly (readonly [at: number, key: string, value: string])[];
}

const folder = join(import.meta.dirname, '../fixtures/aibrix');
const recorded = readdirSync(folder)
  .filter((name) => name.startsWith('v') && name.endsWith('.json'))
  .map((name) => ({ name, ...(JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture) }));

const counted = (keys: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...new Set(keys)].map((key) => [key, keys.filter((other) => other === key).length]));

test.each(recorded)(
  '$name: the buckets of AIBrix are our arithmetic of the sizes that were sent',
  ({ kinds, requests, writes }) => {
    const keyOf = (kind: number): string => {
      const { inputTokens, outputTokens, usage } = kinds[kind]!;
      return usage ? `${bucketIndex(inputTokens)}:${bucketIndex(outputTokens)}` : '0:0';
    };
    const wanted = counted(requests.filter(([, , , status]) => status === 200).map(([, , kind]) => keyOf(kind)));
    const written: Record<string, number> = {};
    for (const [, , value] of writes)
      for (const [key, count] of Object.entries(JSON.parse(value) as Record<string, number>))
        if (!key.startsWith('meta_')) written[key] = (written[key] ?? 0) + count;
    expect(written).toEqual(wanted);
  },
);

test('AIBrix v0.6.0 and v0.7.0 lose nearly all arrivals, and pending falls below zero', () => {
  for (const { requests, writes } of recorded.filter(({ name }) => name.includes('steady'))) {
    const records = writes.map(([, , value]) => JSON.parse(value) as Record<string, number>);
    expect(records.reduce((sum, record) => sum + (record['meta_total_reqs'] ?? 0), 0)).toBeLessThan(0.2 * requests.length);
    expect(records.at(-1)?.['meta_pending_reqs']).toBeLessThan(0);
  }
});
