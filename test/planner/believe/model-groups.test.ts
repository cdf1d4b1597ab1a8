import { expect, test } from 'vitest';
import { modelGroups } from '../../../src/planner/believe/model-groups.ts';
import { deploymentKey } from '../../../src/vocabulary/deployment-key.ts';
import { deployment } from '../../helpers/deployments.ts';

const groups = (...all: ReturnType<typeof deployment>[]) =>
  modelGroups(new Map(all.map((one) => [deploymentKey(one), one])), new Map([['ns/a', 3]]), false);

test('models come in order of name, whatever the order of their Deployments', () => {
  expect(groups(deployment('a', { model: 'z' }), deployment('b', { model: 'k' })).map(({ name }) => name)).toEqual(['k', 'z']);
});

test('a model of one namespace keeps its name and has all of its arrivals, though nothing is Ready', () => {
  const [group, ...others] = groups(deployment('b'), deployment('c'));
  expect(others).toEqual([]);
  expect(group).toMatchObject({ name: 'm', arrivalShare: 1 });
  expect(group!.deployments.map(({ name }) => name)).toEqual(['b', 'c']);
});

test('the names of a model are its own first, and each alias once', () => {
  expect(groups(deployment('a', { aliases: ['x', 'm'] }), deployment('b', { aliases: ['y', 'x'] }))[0]!.aliases).toEqual([
    'm',
    'x',
    'y',
  ]);
});

test('in every namespace a model has the aliases of all of them', () => {
  const [here, there] = groups(deployment('a', { aliases: ['x'] }), deployment('b', { namespace: 'other' }));
  expect([here!.name, there!.name]).toEqual(['m (ns)', 'm (other)']);
  expect(there!.aliases).toEqual(['m', 'x']);
  expect([here!.arrivalShare, there!.arrivalShare]).toEqual([1, 0]);
});
