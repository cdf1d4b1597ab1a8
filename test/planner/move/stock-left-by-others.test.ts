import { expect, test } from 'vitest';
import { stockLeftByOthers } from '../../../src/planner/move/stock-left-by-others.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import type { Plan } from '../../../src/vocabulary/planning-documents.ts';

const variant = (name: string, gpu: string, more: object = {}) => ({ name, gpu, price: 1, throughput: [], ...more });
const snapshot = snapshotOf({
  models: [
    {
      name: 'm',
      demand: [],
      variants: [variant('ns/a', 'H100'), variant('ns/b', 'H100', { gpusPerReplica: 4 }), variant('ns/c', 'L4')],
    },
    {
      name: 'n',
      demand: [],
      variants: [variant('ns/d', 'H100', { running: 3 }), variant('other/e', 'L4', { running: 1 })],
    },
  ],
  stock: { H100: 12 },
  quotas: { ns: { '*': 13 } },
});
const planned = (d: number) => ({ models: [{ name: 'n', replicas: { 'ns/d': d, 'other/e': 0 } }] }) as unknown as Plan;
const fits = (a: number, b: number, c: number, d = 0, key = 'ns/a') =>
  stockLeftByOthers(snapshot, planned(d))(snapshot.models[0]!)(
    new Map([
      ['ns/a', a],
      ['ns/b', b],
      ['ns/c', c],
    ]),
    key,
  );

test('stock and quotas hold for all variants together, beside what the others have', () => {
  expect(fits(1, 2, 0)).toBe(true);
  expect(fits(2, 2, 0)).toBe(false);
  expect(fits(1, 2, 1)).toBe(true);
  expect(fits(1, 2, 2)).toBe(false);
});

test('or are to have, if that is more', () => {
  expect(fits(4, 1, 0, 4)).toBe(true);
  expect(fits(5, 1, 0, 4)).toBe(false);
});

test('elsewhere there may be more than there is room for', () => {
  expect(fits(20, 0, 1, 0, 'ns/a')).toBe(false);
  const noQuota = { ...snapshot, quotas: {} };
  const mix = new Map([
    ['ns/a', 20],
    ['ns/b', 0],
    ['ns/c', 1],
  ]);
  expect(stockLeftByOthers(noQuota, planned(0))(noQuota.models[0]!)(mix, 'ns/c')).toBe(true);
});
