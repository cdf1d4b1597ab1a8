import { expect, test } from 'vitest';
import { profileOfResults } from '../../src/benchmark/profile-of.ts';
import { type BenchmarkMetric, type Measurement, parseResults, resultLine } from '../../src/benchmark/results.ts';
import { strictProblems } from '../../src/benchmark/strict.ts';
import type { Slo } from '../../src/profiles/profile-document.ts';

/** The base set of the reference: mean, P50 (as the mean), P90, P99 of E2E at rates 1, 2, 4, 8. */
const cells = [
  {
    size: [128, 64],
    tput: [1.02, 1.98, 3.7, 6.9],
    mean: [0.8, 1, 1.6, 3],
    p90: [1, 1.3, 2.4, 5.2],
    p99: [1.4, 2, 3.5, 6.5],
  },
  {
    size: [512, 64],
    tput: [0.97, 1.85, 3.1, 3.3],
    mean: [1.2, 2, 4.2, 9],
    p90: [1.6, 2.8, 6, 13],
    p99: [2.2, 3.6, 7.5, 15],
  },
  {
    size: [128, 256],
    tput: [0.95, 1.7, 2.2, 2.3],
    mean: [3, 4.5, 9, 15],
    p90: [3.6, 5.5, 11, 19],
    p99: [4.2, 6.4, 12, 21],
  },
  {
    size: [512, 256],
    tput: [0.85, 1.1, 1.15, 1.15],
    mean: [5, 9, 20, 30],
    p90: [5.9, 12, 25, 35],
    p99: [6.8, 13, 27, 37],
  },
];
const base = (): Measurement[] => {
  const lines = cells.flatMap(({ size: [input, output], tput, mean, p90, p99 }) =>
    [1, 2, 4, 8].flatMap((rate, index) => {
      const line = (metric: BenchmarkMetric, values: Record<string, number>) =>
        JSON.stringify({
          input_tokens: input,
          output_tokens: output,
          request_rate: rate,
          samples: 100,
          metric,
          ...values,
        });
      return [
        line('TPUT', { mean: tput[index]! }),
        line('TT', { mean: tput[index]! * output! }),
        line('E2E', { mean: mean[index]!, P50: mean[index]!, P90: p90[index]!, P99: p99[index]! }),
        line('TTFT', { mean: 0.1, P50: 0.1, P90: 0.2, P99: 0.3 }),
        line('TPOT', { mean: 0.02, P50: 0.02, P90: 0.03, P99: 0.04 }),
      ];
    }),
  );
  return [...parseResults(lines.join('\n'))];
};
const made = (slo: Partial<Slo> = {}, results: readonly Measurement[] = base()) =>
  profileOfResults(results, {
    deployment: 'd',
    cost: 1,
    slo: { percentile: 0, ...slo },
    created: 5,
    gpuType: null,
    gpusPerReplica: null,
  });
const none = [
  [0, 0],
  [0, 0],
];

test('no limit', () => {
  expect(made()).toEqual({
    document: {
      gpu: 'd',
      cost: 1,
      tputs: [
        [3.7, 1.85],
        [0.95, 0.85],
      ],
      indexes: [
        [64, 256],
        [128, 512],
      ],
      created: 5,
      e2e: [
        [1.6, 2],
        [3, 5],
      ],
      slos: { percentile: 0 },
    },
    warnings: [],
    atRateLimit: [],
    nothingMeets: null,
  });
});

test.each([0, 90, 99])('an end-to-end limit of 5 s at percentile %i', (percentile) => {
  expect(made({ e2e: 5, percentile }).document).toMatchObject({
    tputs: [
      [3.7, 1.85],
      [0.95, 0],
    ],
    e2e: [
      [1.6, 2],
      [3, 5],
    ],
    slos: { percentile, e2e: 5 },
  });
});

test('a limit on the first token that none keeps; strictly', () => {
  expect(made({ ttft: 0.25, percentile: 99 }).document).toMatchObject({
    tputs: none,
    ttft: [
      [0.1, 0.1],
      [0.1, 0.1],
    ],
    e2e: [
      [0.8, 1.2],
      [3, 5],
    ],
  });
  expect(made({ ttft: 0.2, percentile: 90 }).document['tputs']).toEqual(none);
});

test.each([
  [
    '59',
    { tpat: 0.01 },
    [
      [3.7, 1.85],
      [0.95, 0.85],
    ],
    undefined,
  ],
  [
    '60',
    { tput: 1.5 },
    [
      [3.7, 1.85],
      [1.7, 0],
    ],
    [
      [1.6, 2],
      [4.5, 5],
    ],
  ],
  [
    '61',
    { tput: 1.5, e2e: 5 },
    [
      [3.7, 1.85],
      [1.7, 0],
    ],
    undefined,
  ],
  [
    '62',
    { tt: 200 },
    [
      [3.7, 3.3],
      [0.95, 0.85],
    ],
    [
      [1.6, 9],
      [3, 5],
    ],
  ],
])('case %s: %o', (_case, slo, tputs, e2e) => {
  const { document } = made(slo);
  expect(document['tputs']).toEqual(tputs);
  if (e2e !== undefined) expect(document['e2e']).toEqual(e2e);
});

test('a limit that is not set asks for no rows', () => {
  const without = base().filter(({ metric }) => metric !== 'TTFT' && metric !== 'TPOT');
  expect(made({}, without).document['tputs']).toEqual(made().document['tputs']);
});

test('a percentile whose column is not there', () => {
  const without = base().map((row) => ({ ...row, values: { ...row.values, P99: null } }));
  expect(() => made({ e2e: 5, percentile: 99 }, without)).toThrow('line 3: has no column P99, which the percentile asks for');
});

test('a size that was not measured is 0, and said', () => {
  const without = base().filter(({ inputTokens, outputTokens }) => inputTokens !== 512 || outputTokens !== 256);
  const { document, warnings } = made({}, without);
  expect(document['tputs']).toEqual([
    [3.7, 1.85],
    [0.95, 0],
  ]);
  expect(warnings).toEqual(['512 tokens in, 256 out: not measured; counts as 0']);
});

test('of two measurements of the same the newest counts, and it is said', () => {
  const again = base()
    .filter(({ inputTokens, outputTokens, rate }) => inputTokens === 128 && outputTokens === 64 && rate === 4)
    .map((row) => (row.metric === 'TPUT' ? { ...row, line: 99, values: { ...row.values, mean: 3.8 } } : row));
  const { document, warnings } = made({}, [...base(), ...again]);
  expect(document['tputs']).toEqual([
    [3.8, 1.85],
    [0.95, 0.85],
  ]);
  expect(warnings).toEqual(['line 99: measures 128 tokens in, 64 out at 4 req/s again (line 11); the newest counts']);
});

test('nine tenths of the rate is enough', () => {
  const point = (rate: number, mean: number) =>
    ({
      line: 1,
      inputTokens: 1,
      outputTokens: 1,
      rate,
      samples: 100,
      metric: 'TPUT',
      values: { mean, P50: null, P90: null, P99: null },
    }) as const;
  expect(made({}, [point(1, 1), point(10, 9)]).document['tputs']).toEqual([[9]]);
  expect(made({}, [point(1, 1), point(3, 2.7)]).document['tputs']).toEqual([[2.7]]);
  expect(made({}, [point(1, 1), point(3, 2.69)]).document['tputs']).toEqual([[1]]);
});

test('a cell without a sample is 0', () => {
  const nan = base().map((row) =>
    row.metric === 'TPUT' && row.inputTokens === 512 ? { ...row, values: { ...row.values, mean: Number.NaN } } : row,
  );
  expect(made({}, nan).document['tputs']).toEqual([
    [3.7, 0],
    [0.95, 0],
  ]);
});

test('what cannot be right is named with its line', () => {
  expect(strictProblems(base())).toEqual([]);
  const changed = base().map((row) => {
    if (row.line === 1) return { ...row, samples: 5 };
    if (row.line === 6) return { ...row, values: { ...row.values, mean: 2.5 } };
    if (row.line === 4) return { ...row, values: { ...row.values, mean: 9 } };
    if (row.metric === 'TPUT' && row.inputTokens === 512 && row.outputTokens === 256 && row.rate === 8)
      return { ...row, values: { ...row.values, mean: 6.5 } };
    return row;
  });
  expect(strictProblems(changed)).toEqual([
    'line 1: 5 samples are too few; at least 30',
    'line 6: 2.5 req/s were served of 2 that were sent',
    'line 76: 512 in, 256 out is served at 6.5 req/s, the smaller 512 in, 64 out only at 3.3 (line 36)',
    'line 4: the first token comes after 9 s, the last after 0.8 (line 3)',
  ]);
});

test('a rate that reached the limit of the benchmark is no throughput, and is named', () => {
  const lines = base().map(({ line: _, ...row }) => resultLine(row, { seed: 0, model: 'm', temperature: 0, rateLimit: 4 }));
  const { atRateLimit } = made({}, parseResults(lines.join('\n')));
  // Of 128 + 64 tokens 4 req/s are the best, of the others less.
  expect(atRateLimit).toEqual([
    '128 tokens in, 64 out: 3.7 req/s were served at the highest rate that might be sent (--rate-limit of gpumix benchmark): it may serve more',
  ]);
});
