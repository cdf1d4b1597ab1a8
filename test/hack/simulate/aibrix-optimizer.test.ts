import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { aibrixOptimizer } from '../../../hack/simulate/aibrix-optimizer.ts';
import { profileOf } from '../../../src/profiles/profile-document.ts';
import { recordText } from '../../helpers/records.ts';

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
const file = join(import.meta.dirname, '../../fixtures/aibrix-optimizer/golden.json');
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

describe("AIBrix's optimizer does what its description says", () => {
  const [a, b] = [
    { key: 'a', profile: profileOf({ gpu: 'a', cost: 4, indexes: [[64], [64, 1024]], tputs: [[20, 4]] }, 'a') },
    { key: 'b', profile: profileOf({ gpu: 'b', cost: 1, indexes: [[64], [64, 1024]], tputs: [[6, 0.5]] }, 'b') },
  ];
  /** Half of 8 req/s of each size, and after the first minutes the points of as many seconds as there are. */
  const record = recordText(80, { '60:60': 40, '100:60': 40 });

  test('hundredths of replicas, each cell where it is cheapest', () => {
    const optimizer = aibrixOptimizer([a!, b!], new Map());
    let answer: ReadonlyMap<string, number> = new Map();
    for (let time = 10; time <= 600; time += 10) answer = optimizer.round(record, time).replicas;
    // The window is one interval short: 24 intervals count as 230 s, or fewer.
    const rate = (intervals: number) => (80 * intervals) / (10 * (intervals - 1));
    const [least, most] = [rate(24), rate(18)];
    expect(answer.get('a')).toBeGreaterThanOrEqual(Math.ceil((100 * least) / 2 / 4) - 1);
    expect(answer.get('a')).toBeLessThanOrEqual(Math.ceil((100 * most) / 2 / 4));
    expect(answer.get('b')).toBeGreaterThanOrEqual(Math.ceil((100 * least) / 2 / 6) - 1);
    expect(answer.get('b')).toBeLessThanOrEqual(Math.ceil((100 * most) / 2 / 6));
  });

  test('the first interval counts as one second, so the first answer is ten times too large', () => {
    const first = aibrixOptimizer([a!, b!], new Map()).round(record, 10).replicas;
    expect(first.get('a')).toBe(Math.ceil((100 * 80) / 2 / 4));
  });

  test('with fewer than ten points in a neighbourhood the last answer stands, first of all the replicas undivided', () => {
    const optimizer = aibrixOptimizer([a!, b!], new Map([['a', 3]]));
    expect(optimizer.round(recordText(4, { '60:60': 4 }), 10).replicas.get('a')).toBe(3);
  });

  test('without a point everything goes to the minimum', () => {
    expect([
      ...aibrixOptimizer([a!, b!], new Map([['a', 3]]))
        .round(null, 10)
        .replicas.values(),
    ]).toEqual([0, 0]);
  });
});
