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
    solve: { milliseconds: 0, nodes: 0 },
  },
});

test('each plan that is asked for is made of its own snapshot, and counted', () => {
  const { makePlan, asked } = countedPlans(planOf);
  expect(asked()).toBe(0);
  expect([7, 7, 9].map((limit) => makePlan(snapshot(limit)).cost)).toEqual([7, 7, 9]);
  expect(asked()).toBe(3);
});

test('one that cannot be made counts too, and whoever asked is told', () => {
  const { makePlan, asked } = countedPlans(() => {
    throw new Error('no');
  });
  expect(() => makePlan(snapshot(1))).toThrow('no');
  expect(asked()).toBe(1);
});

test('two ports do not share their count', () => {
  const [one, other] = [countedPlans(planOf), countedPlans(planOf)];
  one.makePlan(snapshot(1));
  expect([one.asked(), other.asked()]).toEqual([1, 0]);
});
