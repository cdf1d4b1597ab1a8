import { expect, test } from 'vitest';
import { watchPlans } from '../../src/gateway/routing-plan-reader.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';

const plan = (more: Partial<RoutingPlan> | Record<string, unknown> = {}) =>
  JSON.stringify({
    version: 1,
    model: 'm',
    created: 1000,
    expires: 1300,
    classes: [{ fromTokens: 0, toTokens: null, shares: { 'ns/a': 1 } }],
    ready: {},
    planned: {},
    ...more,
  });

test('one that is missing, broken or expired is not followed, and that is said', async () => {
  let texts: (string | null)[] = [plan(), null];
  const plans = watchPlans(async () => texts);
  await plans.refresh(['m', 'other']);
  expect(plans.current('m', 1299)).toMatchObject({ model: 'm' });
  expect(plans.problems(['m', 'other'], 1299)).toEqual([
    'the routing plan of other is missing: its requests go to the pods with the least outstanding work',
  ]);
  expect(plans.current('m', 1300)).toBeNull();
  expect(plans.problems(['m'], 1300)[0]).toMatch(/^the routing plan of m has expired: /);
  texts = ['{'];
  await plans.refresh(['m']);
  // The last good one stands.
  expect(plans.current('m', 1200)).not.toBeNull();
  expect(plans.problems(['m'], 1200)).toEqual(['the routing plan of m is no JSON']);
});

test('while they cannot be read the known ones stand until they expire', async () => {
  let away = false;
  const plans = watchPlans(() => (away ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve([plan()])));
  await plans.refresh(['m']);
  away = true;
  await plans.refresh(['m']);
  expect(plans.current('m', 1299)).not.toBeNull();
  expect(plans.problems(['m'], 1299)).toEqual(['routing plans cannot be read: ECONNREFUSED']);
  expect(plans.current('m', 1301)).toBeNull();
});

const one = { fromTokens: 0, toTokens: null, shares: { a: 1 } };
test.each([
  [{ version: 2 }, 'is of version 2; this gateway reads version 1'],
  [{ expires: 'later' }, 'has no time at which it expires'],
  [{ classes: [] }, 'has no classes'],
  [{ classes: [{ ...one, toTokens: 5 }] }, 'breaks its format in classes[0]'],
  [
    {
      classes: [
        { ...one, toTokens: 5 },
        { ...one, fromTokens: 6 },
      ],
    },
    'breaks its format in classes[0]',
  ],
  [{ classes: [{ ...one, shares: { a: -1 } }] }, 'breaks its format in classes[0]'],
  [{ classes: [{ ...one, shares: null }] }, 'breaks its format in classes[0]'],
])('%j %s', async (more, problem) => {
  const plans = watchPlans(async () => [plan(more)]);
  await plans.refresh(['m']);
  expect(plans.problems(['m'], 1000)).toEqual([`the routing plan of m ${problem}`]);
  expect(plans.current('m', 1000)).toBeNull();
});
