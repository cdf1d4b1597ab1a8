import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aibrixOptimizer } from '../../hack/simulate/aibrix-optimizer.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';

/** Rounds of AIBrix 0.8.0 itself; `node hack/golden-optimizer.ts` makes them and says what it needs. */
interface Golden {
  readonly name: string;
  readonly from: number;
  readonly until: number;
  readonly initial: Readonly<Record<string, number>>;
  readonly profiles: readonly { readonly gpu: string; readonly cost: number }[];
  readonly records: Readonly<Record<string, string>>;
  readonly rounds: readonly {
    readonly rate: number | null;
    /** Requests, log2 of output and input tokens. */
    readonly clusters: readonly (readonly [number, number, number])[];
    readonly replicas: Readonly<Record<string, number>>;
  }[];
}
const file = join(import.meta.dirname, '../fixtures/aibrix-optimizer/golden.json');
const goldens: readonly Golden[] = JSON.parse(readFileSync(file, 'utf8'));

const ported = ({ from, until, initial, profiles, records }: Golden) => {
  const variants = profiles.map((document) => ({ key: document.gpu, profile: profileOf(document, document.gpu) }));
  const optimizer = aibrixOptimizer(variants, new Map(Object.entries(initial)));
  return Array.from({ length: (until - from) / 10 + 1 }, (_, index) =>
    optimizer.round(records[from + 10 * index] ?? null, from + 10 * index),
  );
};

describe.each(goldens)("the port of AIBrix's optimizer agrees with it: $name", (golden) => {
  const rounds = ported(golden);

  test('rate and clusters of each round', () => {
    for (const [index, { rate, clusters }] of golden.rounds.entries()) {
      const mine = rounds[index]!;
      expect(mine.rate === null ? null : mine.rate.toFixed(6)).toBe(rate === null ? null : rate.toFixed(6));
      const sorted = mine.clusters
        .map(({ count, output, input }) => [count, output, input])
        .sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!);
      expect(sorted.length).toBe(clusters.length);
      for (const [at, cluster] of clusters.entries())
        for (const [part, value] of cluster.entries()) expect(sorted[at]![part]).toBeCloseTo(value, 6);
    }
  });

  test('the cost of each answer, but for the rounding up to hundredths that its program avoids', () => {
    const cost = (replicas: (name: string) => number) =>
      golden.profiles.reduce((sum, { gpu, cost: each }) => sum + each * replicas(gpu), 0);
    const roundingUp = cost(() => 1);
    for (const [index, { replicas }] of golden.rounds.entries()) {
      const [mine, its] = [cost((name) => rounds[index]!.replicas.get(name)!), cost((name) => replicas[name]!)];
      expect(mine).toBeGreaterThanOrEqual(its - 1e-9);
      expect(mine).toBeLessThanOrEqual(its + roundingUp);
    }
  });
});
