import { expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { parseSnapshot, snapshotDocument, snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import { routerKnowledges, type Snapshot } from '../../../src/vocabulary/planning-documents.ts';
import { Random } from '../../solver/random.ts';
import { smallSnapshot } from '../../solver/snapshots.ts';

const example = {
  now: '2026-11-25T00:00:00Z',
  models: [
    {
      name: 'llama-8b',
      demand: [{ inputTokens: 1024, outputTokens: 128, arrivalRate: 3.5 }],
      variants: [{ name: 'serving/llama-8b-l40s', gpu: 'L40S', gpusPerReplica: 1, price: 1.86, throughput: [2.2] }],
    },
  ],
  stock: { L40S: 16 },
};

test('the example of the format', () => {
  expect(planOf(snapshotOf(example))).toMatchObject({
    status: 'optimal',
    cost: 3.72,
    bound: 3.72,
    gap: 0,
    models: [
      {
        name: 'llama-8b',
        cost: 3.72,
        replicas: { 'serving/llama-8b-l40s': 2 },
        routing: [{ inputTokens: 1024, outputTokens: 128, arrivalRate: 3.5, shares: { 'serving/llama-8b-l40s': 1 } }],
        beyondSlo: [],
        unserved: [],
      },
    ],
  });
});

test('demand that stock cannot carry is named with what is missing', () => {
  const plan = planOf(snapshotOf({ ...example, stock: { L40S: 1 } }));
  expect(plan).toMatchObject({ status: 'infeasible', cost: 1.86, bound: null, gap: null });
  expect(plan.models[0]!.routing[0]!.arrivalRate).toBeCloseTo(2.2, 6);
  expect(plan.models[0]!.unserved).toHaveLength(1);
  expect(plan.models[0]!.unserved[0]!.reason).toBe('stock');
  expect(plan.models[0]!.unserved[0]!.arrivalRate).toBeCloseTo(1.3, 6);
});

test('where something holds the replicas, that is the reason, and not a maximum that nobody has set', () => {
  const [model] = example.models;
  const [variant] = model!.variants;
  const reasonOf = (...variants: readonly object[]) =>
    planOf(
      snapshotOf({
        models: [{ ...model!, variants: variants.map((one, v) => ({ ...variant!, name: `serving/${v}`, ...one })) }],
      }),
    ).models[0]!.unserved[0]!.reason;
  const fixed = { minReplicas: 0, maxReplicas: 0 };
  expect(reasonOf(fixed)).toBe('maxReplicas');
  for (const heldBy of ['paused', 'pinned', 'notFollowed', 'outOfStock'] as const)
    expect(reasonOf({ ...fixed, heldBy })).toBe(heldBy);
  // What an autoscaler's maximum could mend is its maximum's, and a new profile holds nothing from above.
  expect(reasonOf({ ...fixed, heldBy: 'pinned' }, fixed)).toBe('maxReplicas');
  expect(reasonOf({ ...fixed, heldBy: 'newProfile' })).toBe('maxReplicas');
});

test('floors that do not fit into the stock stand, and the plan says that it is no plan', () => {
  const [model] = example.models;
  const variants = [{ ...model!.variants[0]!, minReplicas: 3 }];
  const plan = planOf(snapshotOf({ ...example, models: [{ ...model!, variants }], stock: { L40S: 2 } }));
  expect(plan.status).toBe('infeasible');
  expect(plan.models[0]!.replicas).toEqual({ 'serving/llama-8b-l40s': 3 });
});

test('a model without variants sets its demand aside', () => {
  const plan = planOf(snapshotOf({ models: [{ ...example.models[0]!, variants: [] }] }));
  expect(plan).toMatchObject({ status: 'optimal', cost: 0, models: [{ replicas: {}, routing: [] }] });
  expect(plan.models[0]!.beyondSlo).toEqual(example.models[0]!.demand);
});

test('nothing to plan is a plan', () => {
  expect(planOf(snapshotOf({ models: [] }))).toMatchObject({
    status: 'optimal',
    cost: 0,
    bound: 0,
    gap: 0,
    models: [],
  });
});

test('each model is planned for the router in front of it, alone or together', () => {
  const demand = [
    { inputTokens: 512, outputTokens: 64, arrivalRate: 10 },
    { inputTokens: 2048, outputTokens: 256, arrivalRate: 10 },
  ];
  const model = (name: string, more: object = {}) => ({
    name,
    demand,
    variants: [
      { name: `${name}/a`, gpu: 'A', price: 4, throughput: [5, 4] },
      { name: `${name}/b`, gpu: 'B', price: 1, throughput: [20, 0] },
    ],
    ...more,
  });
  const costs = (...models: object[]) =>
    [{}, { budget: 100 }].map((more) => planOf(snapshotOf({ models, ...more })).models.map(({ cost }) => cost));
  // By size 3 A + 1 B; what goes round robin is half beyond the SLO of B.
  expect(costs(model('m'), model('n', { routing: 'none' }))).toEqual([
    [13, 20],
    [13, 20],
  ]);
});

test('the time is measured by the clock that is handed in', () => {
  const ticks = [100, 107];
  expect(planOf(snapshotOf(example), { routed: true }, () => ticks.shift()!).solve.milliseconds).toBe(7);
});

const shuffled = (snapshot: Snapshot, random: Random): Snapshot => ({
  ...snapshot,
  stock: Object.fromEntries(random.shuffled(Object.entries(snapshot.stock))),
  models: random.shuffled(
    snapshot.models.map((model) => {
      const rows = random.shuffled(model.demand.map((_, row) => row));
      const turned = <T>(column: readonly T[]): T[] => rows.map((row) => column[row]!);
      return {
        ...model,
        demand: turned(model.demand),
        variants: random.shuffled(
          model.variants.map((variant) => ({
            ...variant,
            throughput: turned(variant.throughput),
            throughputBeyondSlo: turned(variant.throughputBeyondSlo),
            e2eSeconds: variant.e2eSeconds === null ? null : turned(variant.e2eSeconds),
          })),
        ),
      };
    }),
  ),
});

test.each(routerKnowledges)('%s: the plan depends on no order of models, variants, rows or stock', (routing) => {
  let moved = 0;
  for (let seed = 0; seed < 60; seed++) {
    const { snapshot } = smallSnapshot(90_000 + seed, routing);
    const other = shuffled(snapshot, new Random(seed));
    const [plan, again] = [planOf(snapshot), planOf(other)];
    const sorted = (value: typeof plan) => ({
      ...value,
      models: value.models.map(({ routing: rows, unserved, beyondSlo, ...rest }) => ({
        ...rest,
        rows: rows.map((row) => JSON.stringify(row)).sort(),
        unserved: unserved.map((row) => JSON.stringify(row)).sort(),
        beyondSlo: beyondSlo.map((row) => JSON.stringify(row)).sort(),
      })),
    });
    expect(JSON.stringify(sorted(again))).toBe(JSON.stringify(sorted(plan)));
    expect(again.models.map(({ routing: rows }) => rows.length)).toEqual(plan.models.map(({ routing: rows }) => rows.length));
    if (JSON.stringify(other) !== JSON.stringify(snapshot)) moved++;
  }
  expect(moved).toBeGreaterThan(40);
});

test('a saved snapshot is solved to the same bytes', () => {
  for (let seed = 0; seed < 40; seed++) {
    const { snapshot } = smallSnapshot(95_000 + seed, routerKnowledges[seed % 4]!);
    const saved = parseSnapshot(JSON.stringify(snapshotDocument(snapshot)));
    expect(JSON.stringify(planOf(saved))).toBe(JSON.stringify(planOf(snapshot)));
  }
});

test('inputs are left as they are', () => {
  const freeze = <T>(value: T): T => {
    if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
    return value;
  };
  for (const routing of routerKnowledges) expect(() => planOf(freeze(smallSnapshot(7, routing).snapshot))).not.toThrow();
});
