import { expect, test } from 'vitest';
import { floorsBeyondLimits, floorText } from '../../../src/planner/plan/floors-beyond-limits.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';

const variant = (name: string, minReplicas: number) => ({
  ...{ name, gpu: 'H100', gpusPerReplica: 2, price: 6, throughput: [1], minReplicas },
});
const beyond = (more: object) =>
  floorsBeyondLimits(
    snapshotOf({
      models: [
        {
          name: 'm',
          demand: [{ inputTokens: 1, outputTokens: 1, arrivalRate: 1 }],
          variants: [variant('ns/b', 2), variant('ns/a', 1), variant('ns/none', 0)],
        },
      ],
      ...more,
    }),
  ).map(floorText);

test('floors are named with what they take and what there is of it', () => {
  expect(beyond({ stock: { H100: 5 } })).toEqual(['the least replicas of ns/a, ns/b take 6 H100, and there are 5']);
  expect(beyond({ quotas: { ns: { '*': 4 } } })).toEqual([
    'the least replicas of ns/a, ns/b take 6 GPUs in namespace ns, and there are 4',
  ]);
  expect(beyond({ budget: 17.5 })).toEqual(['the least replicas of ns/a, ns/b cost $18/h, and the budget is $17.5/h']);
});

test('floors that fit are nothing to tell', () => {
  expect(beyond({ stock: { H100: 6 }, quotas: { ns: { H100: 6 } }, budget: 18 })).toEqual([]);
  expect(beyond({ stock: {}, budget: null })).toEqual([]);
});
