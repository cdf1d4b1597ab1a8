import { describe, expect, test } from 'vitest';
import { candidatesOf, priceTable } from '../../../src/planner/believe/candidates.ts';
import { deployment, foundProfile } from '../../helpers/deployments.ts';

const sources = {
  profiles: new Map([
    ['ns/a', foundProfile('a', 5, 7)],
    ['ns/b', foundProfile('b', 5, 3)],
  ]),
  now: 0,
  bounds: new Map(),
  ready: new Map([['ns/a', 2]]),
  prices: priceTable({ L4: 0.5 }),
};
const prices = (...deployments: ReturnType<typeof deployment>[]) =>
  candidatesOf(deployments, sources).candidates.map(({ price }) => price);

describe('prices', () => {
  test('annotation, else price table x GPUs', () => {
    expect(prices(deployment('a', { price: 9 }), deployment('b', { gpu: 'L4', gpusPerReplica: 2 }))).toEqual([9, 1]);
    expect(priceTable({})['L40S']).toBe(1.861);
  });

  test("where the table does not know every type, all are the profiles' costs", () => {
    expect(prices(deployment('a', { gpu: 'L4' }), deployment('b'))).toEqual([7, 3]);
  });

  test('an annotation beside a cost of a profile is an error that names both', () => {
    const { candidates, excluded } = candidatesOf([deployment('a', { price: 9 }), deployment('b')], sources);
    expect(candidates).toEqual([]);
    expect(excluded.get('ns/a')).toBe(
      'prices cannot be compared: ns/a has the annotation gpumix.io/price, ns/b only the cost in profile b',
    );
    expect(excluded.get('ns/b')).toBe(excluded.get('ns/a'));
  });
});

test('a Deployment without a profile is excluded alone', () => {
  const { candidates, excluded } = candidatesOf([deployment('a'), deployment('c')], sources);
  expect(candidates.map(({ key }) => key)).toEqual(['ns/a']);
  expect(candidates[0]).toMatchObject({ replicas: 1, ready: 2, gpu: 'unknown' });
  expect([...excluded]).toEqual([['ns/c', 'no profile for Deployment ns/c of model m']]);
});

test('a profile measured at another GPU count does not apply', () => {
  const found = foundProfile('a', 5);
  const measured = { ...found, profile: { ...found.profile, gpusPerReplica: 4 } };
  const { excluded } = candidatesOf([deployment('a')], { ...sources, profiles: new Map([['ns/a', measured]]) });
  expect(excluded.get('ns/a')).toBe('profile a was measured with 4 GPUs per replica, Deployment ns/a has 1');
});
