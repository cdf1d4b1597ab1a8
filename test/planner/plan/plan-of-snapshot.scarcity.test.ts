import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explanationOf } from '../../../src/planner/plan/explanation.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import { type Plan, type Snapshot, totalRate } from '../../../src/vocabulary/planning-documents.ts';

/** Fleets whose stock is near what they need, as they were met; the figures beside them are proven by other solvers. */
const snapshot = (name: string): Snapshot =>
  snapshotOf(JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/scarcity/${name}.json`), 'utf8')));
const unservedShare = ({ models }: Plan, of: Snapshot): number =>
  models.reduce((sum, { unserved }) => sum + totalRate(unserved), 0) /
  of.models.reduce((sum, { demand }) => sum + totalRate(demand), 0);

test('fifty models on a stock that is just enough are served in full, and so they are with more of it', () => {
  const more = snapshot('fifty-models');
  const less = { ...more, stock: { G0: 36, G1: 35, G2: 35, G3: 40, G4: 35, G5: 35, G6: 54, G7: 51 } };
  for (const fleet of [less, more]) {
    const plan = planOf(fleet);
    expect(plan.status).toMatch(/optimal|feasible/);
    expect(plan.gap).toBeLessThanOrEqual(0.001);
    expect(unservedShare(plan, fleet)).toBe(0);
  }
});

test('four types within a hundredth of each other leave a gap of a tenth of a percent at most', () => {
  const { status, gap } = planOf(snapshot('near-identical-4'));
  expect(status).toMatch(/optimal|feasible/);
  expect(gap).toBeLessThanOrEqual(0.001);
});

test('that a stock is not enough is proven, and how much can be served all the same', () => {
  const plan = planOf(snapshot('not-enough'));
  expect(plan).toMatchObject({ status: 'infeasible', bound: null });
  expect(plan.servedGap).toBeLessThanOrEqual(0.005);
});

describe('where not all can be served, the most is, at the least cost', () => {
  test.each([
    ['short-33', 0.0755385, 56.49],
    ['short-39', 0.1027569, 123.01],
    ['short-7', 0.1621888, 127.59],
  ] as const)('%s', (name, share, cost) => {
    const fleet = snapshot(name);
    const plan = planOf(fleet);
    expect(plan).toMatchObject({ status: 'infeasible', servedGap: 0 });
    expect(unservedShare(plan, fleet)).toBeCloseTo(share, 4);
    expect(plan.cost).toBeLessThanOrEqual(cost + 1e-9);
  });
});

describe('one GPU more, as far as it saves anything', () => {
  test.each([
    ['one-more-of-another-pool', 'G0', 1, 55.19 - 54.38],
    ['one-more-is-enough', 'Y', 1, 7.48 - 4.46],
  ] as const)('%s', (name, gpu, gpus, saves) => {
    const fleet = snapshot(name);
    const { stock } = explanationOf(fleet);
    expect(stock.find((one) => one.gpu === gpu)).toMatchObject({ gpus, saves: expect.closeTo(saves, 6) });
  });
});
