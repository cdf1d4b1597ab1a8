import { expect, test } from 'vitest';
import { extrapolated, parseSnapshot, snapshotDocument, snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import { GpumixError } from '../../../src/vocabulary/errors.ts';

const row = { inputTokens: 1024, outputTokens: 128, arrivalRate: 3.5 };
const variant = { name: 'serving/llama-8b-l40s', gpu: 'L40S', price: 1.86, throughput: [2.2] };
const model = { name: 'llama-8b', demand: [row], variants: [variant] };
const profile = {
  gpu: 'llama-8b-l40s',
  cost: 1.5,
  indexes: [
    [64, 256],
    [512, 2048],
  ],
  tputs: [
    [8, 2],
    [4, 0],
  ],
  e2e: [
    [1, 2],
    [3, 4],
  ],
  slos: { percentile: 99, ttft: 1 },
};

test('what a document leaves out has the defaults of the format', () => {
  expect(snapshotOf({ models: [model] })).toEqual({
    now: null,
    stock: {},
    budget: null,
    routing: 'size',
    models: [
      {
        ...model,
        priority: 0,
        previous: null,
        variants: [
          {
            ...variant,
            gpusPerReplica: 1,
            minReplicas: 0,
            maxReplicas: null,
            running: null,
            ready: null,
            throughputBeyondSlo: [2.2],
            e2eSeconds: null,
            sloShare: null,
          },
        ],
      },
    ],
  });
});

test('quotas are GPUs by namespace and type', () => {
  const quotas = { serving: { '*': 8, H100: 4 } };
  expect(snapshotOf({ models: [model], quotas }).quotas).toEqual(quotas);
  expect(() => snapshotOf({ models: [model], quotas: { serving: { H100: 0.5 } } })).toThrow(
    'quotas.serving.H100: must be a whole number of at least 0, not 0.5',
  );
});

test('a snapshot survives being written and read', () => {
  const { throughput, ...bare } = variant;
  const document = {
    now: '2026-11-25T00:00:00Z',
    models: [
      {
        ...model,
        priority: 3,
        previous: { replicas: { 'serving/llama-8b-l40s': 2 } },
        variants: [{ ...variant, maxReplicas: 4, running: 2, ready: 1 }],
      },
      { ...model, name: 'other', variants: [{ ...bare, name: 'serving/other', profile }] },
      { ...model, name: 'untimed', variants: [{ ...variant, name: 'serving/untimed', e2eSeconds: [null] }] },
    ],
    stock: { L40S: 16 },
    budget: 12.5,
    routing: 'load',
    nodeLimit: 5000,
    workLimit: 800_000,
  };
  const snapshot = snapshotOf(document);
  expect(snapshot.models[2]!.variants[0]!.e2eSeconds).toEqual([Number.NaN]);
  expect(parseSnapshot(JSON.stringify(snapshotDocument(snapshot)))).toEqual(snapshot);
});

test('a variant may bring its profile instead of throughput', () => {
  const { throughput, ...bare } = variant;
  const demand = [
    { inputTokens: 512, outputTokens: 64, arrivalRate: 1 },
    { inputTokens: 2048, outputTokens: 256, arrivalRate: 1 },
  ];
  const { variants } = snapshotOf({ models: [{ ...model, demand, variants: [{ ...bare, profile }] }] }).models[0]!;
  expect(variants[0]!.throughput[0]).toBeCloseTo(8, 9);
  expect(variants[0]!.throughput[1]).toBe(0);
  expect(variants[0]!.throughputBeyondSlo[1]).toBeGreaterThan(0);
  expect(variants[0]!.e2eSeconds![0]).toBeCloseTo(1, 9);
  expect(variants[0]!.sloShare).toBeCloseTo(0.01, 12);
});

test('a row beyond the SLO is charged like the nearest one, in proportion to tokens where it has more', () => {
  const at = (inputTokens: number, outputTokens: number) => ({ inputTokens, outputTokens, arrivalRate: 1 });
  expect(extrapolated([at(512, 512), at(2048, 1024)], [6, 0])).toEqual([6, 2]);
  expect(extrapolated([at(512, 512), at(64, 64)], [6, 0])).toEqual([6, 6]);
  expect(extrapolated([at(512, 64), at(512, 512), at(1024, 512)], [9, 3, 0])).toEqual([9, 3, 2]);
  expect(extrapolated([at(512, 64)], [0])).toEqual([0]);
});

const withVariant = (changes: object) => ({ models: [{ ...model, variants: [{ ...variant, ...changes }] }] });

test.each([
  { what: 'no object', document: [], message: 'must be an object, not []' },
  { what: 'no models', document: {}, message: 'models: must be a list, not missing' },
  { what: 'an unknown field', document: { models: [], stocks: {} }, message: 'stocks: unknown field' },
  {
    what: 'a nameless model',
    document: { models: [{ ...model, name: '' }] },
    message: 'models[0].name: must be a text, not ""',
  },
  { what: 'one model twice', document: { models: [model, model] }, message: 'models[1].name: llama-8b is named twice' },
  {
    what: 'one variant in two models',
    document: { models: [model, { ...model, name: 'b' }] },
    message: 'models[1].variants[0].name: serving/llama-8b-l40s is named twice',
  },
  {
    what: 'an unknown field of a variant',
    document: withVariant({ cost: 1 }),
    message: 'models[0].variants[0].cost: unknown field',
  },
  {
    what: 'a negative price',
    document: withVariant({ price: -1 }),
    message: 'models[0].variants[0].price: must be a number of at least 0, not -1',
  },
  {
    what: 'too few throughputs',
    document: withVariant({ throughput: [] }),
    message: 'models[0].variants[0].throughput: must have one entry per row of demand (1), not 0',
  },
  {
    what: 'neither throughput nor profile',
    document: withVariant({ throughput: undefined }),
    message: 'models[0].variants[0].throughput: must be a list, not missing',
  },
  {
    what: 'both throughput and profile',
    document: withVariant({ profile }),
    message: 'models[0].variants[0].throughput: must not stand beside profile',
  },
  {
    what: 'a broken profile',
    document: withVariant({ throughput: undefined, profile: { gpu: 'a' } }),
    message: 'models[0].variants[0].profile.cost: must be a number above 0, not missing',
  },
  {
    what: 'half a replica',
    document: withVariant({ minReplicas: 0.5 }),
    message: 'models[0].variants[0].minReplicas: must be a whole number of at least 0, not 0.5',
  },
  {
    what: 'bounds that exclude each other',
    document: withVariant({ minReplicas: 3, maxReplicas: 2 }),
    message: 'models[0].variants[0].minReplicas: must be at most maxReplicas (2), not 3',
  },
  {
    what: 'no GPU per replica',
    document: withVariant({ gpusPerReplica: 0 }),
    message: 'models[0].variants[0].gpusPerReplica: must be at least 1, not 0',
  },
  {
    what: 'a negative rate',
    document: { models: [{ ...model, demand: [{ ...row, arrivalRate: -2 }] }] },
    message: 'models[0].demand[0].arrivalRate: must be a number of at least 0, not -2',
  },
  {
    what: 'a share above 1',
    document: withVariant({ sloShare: 2 }),
    message: 'models[0].variants[0].sloShare: must be at most 1, not 2',
  },
  {
    what: 'negative stock',
    document: { models: [], stock: { L4: -1 } },
    message: 'stock.L4: must be a whole number of at least 0, not -1',
  },
  {
    what: 'a negative budget',
    document: { models: [], budget: -1 },
    message: 'budget: must be a number of at least 0, not -1',
  },
  {
    what: 'an unknown router',
    document: { models: [], routing: 'auto' },
    message: 'routing: must be one of size, input, load, none, not "auto"',
  },
  {
    what: 'an unknown router of a model',
    document: { models: [{ ...model, routing: 'random' }] },
    message: 'models[0].routing: must be one of size, input, load, none, not "random"',
  },
  {
    what: 'a time that is none',
    document: { models: [], now: 'today' },
    message: 'now: must be a time such as 2026-11-25T00:00:00Z, not "today"',
  },
  {
    what: 'a text as priority',
    document: { models: [{ ...model, priority: 'high' }] },
    message: 'models[0].priority: must be a number, not "high"',
  },
])('$what is refused with the path of the field', ({ document, message }) => {
  const refused = () => snapshotOf(document);
  expect(refused).toThrow(GpumixError);
  expect(refused).toThrow(expect.objectContaining({ code: 'BAD_SNAPSHOT', message }));
});

test('NaN and Infinity are refused where they stand, and text that is no JSON as such', () => {
  const text = JSON.stringify({ models: [model] });
  expect(() => parseSnapshot(text.replace('2.2', 'NaN'))).toThrow(
    'models[0].variants[0].throughput[0]: must be a number of at least 0, not NaN',
  );
  expect(() => parseSnapshot(text.replace('3.5', '-Infinity'))).toThrow(
    'models[0].demand[0].arrivalRate: must be a number of at least 0, not NaN',
  );
  expect(() => parseSnapshot('{"models": [],}')).toThrow('not a JSON document');
  expect(parseSnapshot(text.replace('llama-8b"', 'NaN"')).models[0]!.name).toBe('NaN');
});
