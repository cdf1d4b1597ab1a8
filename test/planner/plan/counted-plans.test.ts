import { expect, test } from 'vitest';
import { countedPlans } from '../../../src/planner/plan/counted-plans.ts';
import type { Plan, Snapshot } from '../../../src/vocabulary/planning-documents.ts';

const snapshot = (nodeLimit: number): Snapshot => ({
  now: null,
  models: [],
  stock: {},
  budget: null,
  routing: 'size',
  nodeLimit,
});
/** A plan that costs what the snapshot's node limit is. */
const planOf = ({ nodeLimit }: Snapshot): Plan => ({
  ...{
    status: 'optimal',
    cost: nodeLimit ?? 0,
    bound: null,
    gap: null,
    servedGap: null,
    models: [],
    solve: { milliseconds: 0, nodes: 0, work: 9_000 },
  },
});

test('each plan that is asked for is made of its own snapshot, and counted', () => {
  const { makePlan, asked } = countedPlans(planOf, 100_000);
  expect(asked()).toBe(0);
  expect([7, 7, 9].map((limit) => makePlan(snapshot(limit)).cost)).toEqual([7, 7, 9]);
  expect(asked()).toBe(3);
});

test('one that cannot be made counts too, and whoever asked is told', () => {
  const { makePlan, asked } = countedPlans(() => {
    throw new Error('no');
  }, 100_000);
  expect(() => makePlan(snapshot(1))).toThrow('no');
  expect(asked()).toBe(1);
});

test('questions share what work they may take: each a tenth of what is left, and a little in any case', () => {
  const limits: unknown[] = [];
  const { makePlan, whatIf, asked } = countedPlans((one) => {
    limits.push(one.workLimit);
    return planOf(one);
  }, 333_340);
  makePlan({ ...snapshot(1), workLimit: 1_000_000 });
  for (let time = 0; time < 13; time += 1) whatIf({ ...snapshot(1), workLimit: 1_000_000 });
  whatIf({ ...snapshot(1), workLimit: 500 });
  whatIf(snapshot(1));
  expect(limits).toEqual([
    ...[1_000_000, 10_000, 9_100, 8_200, 7_300, 6_400, 5_500, 4_600, 3_700, 2_800, 2_000, 2_000, 2_000, 2_000],
    ...[500, 2_000],
  ]);
  expect(asked()).toBe(16);
});

test('two ports do not share their count', () => {
  const [one, other] = [countedPlans(planOf, 100_000), countedPlans(planOf, 100_000)];
  one.makePlan(snapshot(1));
  expect([one.asked(), other.asked()]).toEqual([1, 0]);
});
