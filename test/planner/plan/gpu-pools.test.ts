import { expect, test } from 'vitest';
import { poolsOf } from '../../../src/planner/plan/gpu-pools.ts';

const quotas = { serving: { L4: 2, '*': 6 }, batch: { L4: 1 } };
const pool = (name: string) => poolsOf({ stock: { L4: 3 }, quotas }).find((one) => one.name === name)!;

test('the stock of each type comes first, and all is in order of name', () => {
  expect(poolsOf({ stock: { L4: 3, H100: 8 }, quotas }).map(({ name, gpus }) => [name, gpus])).toEqual([
    ['H100', 8],
    ['L4', 3],
    ['L4 in namespace batch', 1],
    ['GPUs in namespace serving', 6],
    ['L4 in namespace serving', 2],
  ]);
});

test('a snapshot without limits has no pool', () => {
  expect(poolsOf({ stock: {} })).toEqual([]);
});

test('stock is drawn on from every namespace, by its own type alone', () => {
  expect(pool('L4').takes({ name: 'batch/a', gpu: 'L4' })).toBe(true);
  expect(pool('L4').takes({ name: 'batch/a', gpu: 'H100' })).toBe(false);
});

test('a quota is drawn on by its own namespace alone, and one of all types by each of them', () => {
  const takes = (name: string, gpu: string) =>
    ['L4 in namespace serving', 'GPUs in namespace serving'].map((one) => pool(one).takes({ name, gpu }));
  expect(takes('serving/a', 'L4')).toEqual([true, true]);
  expect(takes('serving/a', 'H100')).toEqual([false, true]);
  expect(takes('batch/a', 'L4')).toEqual([false, false]);
});
