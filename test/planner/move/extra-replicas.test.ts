import { expect, test } from 'vitest';
import { extraReplicas } from '../../../src/planner/move/extra-replicas.ts';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';

/** 10 req/s; L40S serves 1 for 1, H100 serves 5 for 8. */
const snapshot = (stock: Readonly<Record<string, number>>, l40s: object = {}) =>
  snapshotOf({
    models: [
      {
        name: 'm',
        demand: [{ inputTokens: 1024, outputTokens: 128, arrivalRate: 10 }],
        variants: [
          { name: 'ns/l40s', gpu: 'L40S', price: 1, throughput: [1], ...l40s },
          { name: 'ns/h100', gpu: 'H100', price: 8, throughput: [5] },
        ],
      },
    ],
    stock,
  });
const extra = (given: ReturnType<typeof snapshot>, guessed: readonly string[], boundsIfPodsCame = new Map()) =>
  Object.fromEntries(
    extraReplicas({ snapshot: given, plan: planOf(given), limits: { guessed: new Set(guessed) }, boundsIfPodsCame }, planOf),
  );

test('one more than there are Nodes for, where more of the type would be cheaper', () => {
  const short = snapshot({ L40S: 6 });
  expect(planOf(short).models[0]?.replicas).toEqual({ 'ns/l40s': 5, 'ns/h100': 1 });
  expect(extra(snapshot({ L40S: 5 }), ['L40S'])).toEqual({ 'ns/l40s': 6 });
  expect(extra(snapshot({ L40S: 0 }), ['L40S'])).toEqual({ 'ns/l40s': 1 });
});

test('none where the stock suffices, or is what the user says', () => {
  expect(extra(snapshot({ L40S: 10 }), ['L40S'])).toEqual({});
  expect(extra(snapshot({ L40S: 5 }), [])).toEqual({});
});

test('none of a type that is short, and would not be taken either', () => {
  expect(extra(snapshot({ H100: 0 }), ['H100'])).toEqual({});
});

test('one more than a variant that is boundsIfPodsCame; its own bound holds', () => {
  const own = (maxReplicas: number | null) => new Map([['ns/l40s', { minReplicas: 0, maxReplicas }]]);
  expect(extra(snapshot({}, { maxReplicas: 5 }), [], own(null))).toEqual({ 'ns/l40s': 6 });
  expect(extra(snapshot({}, { maxReplicas: 5 }), [], own(5))).toEqual({});
});

test('what is asked for beyond the plan cannot be had by those whose demand is not served either', () => {
  const infeasible = snapshot({ L40S: 2, H100: 1 });
  expect(planOf(infeasible).status).toBe('infeasible');
  expect(extra(infeasible, ['L40S', 'H100'])).toEqual({ 'ns/l40s': 3 });
});
