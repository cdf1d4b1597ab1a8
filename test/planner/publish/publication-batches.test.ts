import { expect, test } from 'vitest';
import { batchesOf, publicationOf } from '../../../src/planner/publish/publication-batches.ts';
import type { ModelReport } from '../../../src/planner/report/tick-outcome.ts';

const target = (deployment: string) => {
  const decision = { replicas: 1, asOf: 1000 };
  return { namespace: 'ns', deployment, labels: { app: deployment }, decision, standing: decision };
};
const model = (name: string) => ({ name }) as ModelReport;
const plan = { status: 'optimal', cost: 3 } as const;

test('the parts together say what was said, labels apart; none has more than is asked for', () => {
  const said = { targets: ['a', 'b', 'c', 'd', 'e'].map(target), models: ['m', 'n'].map(model), plan };
  const parts = batchesOf(said, 2);
  expect(parts.map(({ targets, models }) => [targets.length, models.length])).toEqual([
    [2, 2],
    [2, 0],
    [1, 0],
  ]);
  expect(publicationOf(parts, plan)).toEqual({ ...said, targets: said.targets.map((one) => ({ ...one, labels: {} })) });
});

test('what says nothing has no parts', () => {
  expect(batchesOf({ targets: [], models: [], plan: null }, 2)).toEqual([]);
  expect(publicationOf([], null)).toEqual({ targets: [], models: [], plan: null });
});
