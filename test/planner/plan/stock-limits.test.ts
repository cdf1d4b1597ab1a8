import { describe, expect, test } from 'vitest';
import type { GpuNode, StockLimits, Supply } from '../../../src/cluster/stock.ts';
import type { StockSource } from '../../../src/planner/plan/stock-limits.ts';
import { limitsOf, mayLimit, type PoolTaker } from '../../../src/planner/plan/stock-limits.ts';

const node = (gpu: string | null, gpus: number, more: Partial<GpuNode> = {}): GpuNode => ({
  ...{ gpu, gpus, usable: true, elastic: false },
  ...more,
});
/** `ns/a` holds 2 GPUs of n1 with `pod('a', 'n1', 2)`. */
const pod = (deployment: string, on: string | null, gpus: number, namespace = 'ns') => ({
  ...{ namespace, deployment, node: on, gpus },
});
type Given = Partial<Omit<Supply, 'nodes' | 'holders'>> & { nodes?: Record<string, GpuNode>; pods?: Supply['holders'] };
const supply = ({ pods = [], ...more }: Given = {}): Supply => ({
  ...{ slices: [], quotas: [], limits: null, holders: pods },
  ...more,
  nodes: new Map(Object.entries(more.nodes ?? {})),
});
const limits = (more: Partial<StockLimits>): StockLimits => ({ ceilings: {}, namespaces: {}, ...more });
const taker = (name: string, gpu: string | null = 'H100', more: Partial<PoolTaker> = {}): PoolTaker => ({
  ...{ key: `ns/${name}`, gpu, gpusPerReplica: 1, least: 0 },
  ...more,
});
const a = taker('a');
const stockOf = (
  given: Supply,
  source: StockSource = 'auto',
  solved: readonly PoolTaker[] = [a],
  others: readonly PoolTaker[] = [],
) => limitsOf(given, source, solved, others).stock;

describe('GPUs of Nodes', () => {
  const nodes = { n1: node('H100', 8), n2: node('H100', 4), n3: node('L4', 2) };

  test('add up by type, for the types in question', () => {
    expect(stockOf(supply({ nodes }))).toEqual({ H100: 12 });
    expect(stockOf(supply({ nodes }), 'auto', [a, taker('b', 'L4')])).toEqual({ H100: 12, L4: 2 });
  });

  test('are fewer by what pods of others hold; pods that have no place hold nothing', () => {
    const pods = [pod('', 'n1', 3), pod('batch', 'n2', 1, 'other'), pod('a', 'n1', 2), pod('', null, 5)];
    expect(stockOf(supply({ nodes, pods }))).toEqual({ H100: 8 });
  });

  test('are fewer by what our own hold, or are told, that take no part in the solve', () => {
    const pods = [pod('idle', 'n1', 3)];
    const others = [taker('idle', 'H100', { least: 1 }), taker('told', 'H100', { least: 2, gpusPerReplica: 2 })];
    expect(stockOf(supply({ nodes, pods }), 'auto', [a], others)).toEqual({ H100: 5 });
  });

  test('a Node that is cordoned or lost counts as far as our own pods are on it', () => {
    const lost = { ...nodes, n2: node('H100', 4, { usable: false }) };
    expect(stockOf(supply({ nodes: lost }))).toEqual({ H100: 8 });
    const pods = [pod('a', 'n2', 3), pod('', 'n2', 1), pod('', 'n1', 1)];
    expect(stockOf(supply({ nodes: lost, pods }))).toEqual({ H100: 10 });
    expect(stockOf(supply({ nodes: lost, pods }), 'auto', [a], [taker('b')])).toEqual({ H100: 10 });
    expect(stockOf(supply({ nodes: lost, pods }), 'auto', [taker('b')], [a])).toEqual({ H100: 7 });
  });

  test('are never below what runs, or must run', () => {
    const small = { n1: node('H100', 2) };
    const pods = [pod('a', 'n1', 3), pod('', 'n1', 2)];
    expect(stockOf(supply({ nodes: small, pods }))).toEqual({ H100: 3 });
    expect(stockOf(supply({ nodes: small }), 'auto', [taker('a', 'H100', { least: 2, gpusPerReplica: 4 })])).toEqual({
      H100: 8,
    });
  });

  test('a type without a Node is not limited: a node autoscaler may have gone down to none', () => {
    expect(stockOf(supply({ nodes: { n3: node('L4', 2) } }), 'nodes')).toEqual({});
    expect(stockOf(supply({ nodes: { n1: node('H100', 0) } }), 'nodes')).toEqual({});
  });

  test('a type in a pool that may grow is limited only if Nodes are believed', () => {
    const growing = supply({ nodes: { ...nodes, n4: node('H100', 8, { elastic: true }) } });
    expect(stockOf(growing, 'auto')).toEqual({});
    expect(stockOf(growing, 'nodes')).toEqual({ H100: 20 });
  });

  test('devices of a driver count where the device plugin shows none, and tell the type', () => {
    const slice = (on: string) => ({ node: on, pool: on, devices: { a: 'H100', b: 'H100', c: 'H100', d: 'H100' } });
    const slices = [slice('n1'), slice('n1'), slice('n2'), slice('gone')];
    expect(stockOf(supply({ nodes: { n1: node(null, 0), n2: node('H100', 4) }, slices }))).toEqual({ H100: 12 });
  });
});

describe("the user's limits", () => {
  const nodes = { n1: node('H100', 8), n2: node('L4', 2) };

  test('count before Nodes, for the types that they name; what others hold comes off', () => {
    const given = supply({ nodes, limits: limits({ ceilings: { H100: 16 } }), pods: [pod('', 'n1', 3)] });
    const { stock, guessed } = limitsOf(given, 'auto', [a, taker('b', 'L4')], []);
    expect(stock).toEqual({ H100: 13, L4: 2 });
    expect([...guessed]).toEqual(['L4']);
  });

  test('are all that counts by setting; or nothing does', () => {
    const given = supply({ nodes, limits: limits({ ceilings: { L4: 1 } }) });
    expect(stockOf(given, 'config', [a, taker('b', 'L4')])).toEqual({ L4: 1 });
    expect(limitsOf(given, 'none', [a], [])).toMatchObject({ stock: {} });
  });

  test('of a Node pool do not shrink with a cordoned Node', () => {
    const cordoned = { n1: node('H100', 8, { usable: false }) };
    expect(stockOf(supply({ nodes: cordoned, limits: limits({ ceilings: { H100: 16 } }) }))).toEqual({ H100: 16 });
  });
});

describe('namespaces', () => {
  const quotasOf = (given: Supply, solved: readonly PoolTaker[] = [a], others: readonly PoolTaker[] = []) =>
    limitsOf(given, 'auto', solved, others).quotas;
  const quota = (gpus: number, namespace = 'ns') => ({ namespace, gpus });

  test('a ResourceQuota counts every pod of the namespace, those that wait as well', () => {
    const pods = [pod('', 'n1', 1), pod('', null, 2), pod('', 'n1', 4, 'other'), pod('a', null, 1)];
    expect(quotasOf(supply({ quotas: [quota(8)], pods }))).toEqual({ ns: { '*': 5 } });
  });

  test('what is held by claims is no GPU less of a ResourceQuota', () => {
    const pods = [{ ...pod('', 'n1', 2), byClaim: true }, pod('', 'n1', 1)];
    const nodes = { n1: node('H100', 8) };
    expect(limitsOf(supply({ nodes, quotas: [quota(8)], pods }), 'auto', [a], [])).toMatchObject({
      stock: { H100: 5 },
      quotas: { ns: { '*': 7 } },
    });
  });

  test('of several the least counts, of other namespaces none', () => {
    expect(quotasOf(supply({ quotas: [quota(8), quota(6), quota(1, 'other')] }))).toEqual({ ns: { '*': 6 } });
    expect(quotasOf(supply())).toBeUndefined();
  });

  test("the user's count the models' pods only, by type or all together; the tighter counts", () => {
    const namespaces = { ns: { H100: 4, '*': 9 } };
    const pods = [pod('', 'n1', 5)];
    expect(quotasOf(supply({ limits: limits({ namespaces }), pods }))).toEqual({ ns: { H100: 4, '*': 9 } });
    expect(quotasOf(supply({ limits: limits({ namespaces }), pods, quotas: [quota(8)] }))).toEqual({
      ns: { H100: 4, '*': 3 },
    });
  });

  test('what our own hold that take no part comes off; never below what runs', () => {
    const others = [taker('b', 'L4', { least: 3 })];
    expect(quotasOf(supply({ quotas: [quota(8)] }), [a], others)).toEqual({ ns: { '*': 5 } });
    const nodes = { n1: node('H100', 8) };
    expect(quotasOf(supply({ nodes, quotas: [quota(1)], pods: [pod('a', 'n1', 2)] }))).toEqual({ ns: { '*': 2 } });
  });
});

test('whether anything may limit a plan', () => {
  const nodes = { n1: node('H100', 8) };
  expect(mayLimit(undefined, 'auto')).toBe(false);
  expect(mayLimit(supply(), 'auto')).toBe(false);
  expect(mayLimit(supply({ nodes: { n1: node(null, 0) } }), 'auto')).toBe(false);
  expect(mayLimit(supply({ nodes }), 'auto')).toBe(true);
  expect(mayLimit(supply({ nodes }), 'config')).toBe(false);
  expect(mayLimit(supply({ nodes, quotas: [{ namespace: 'ns', gpus: 1 }] }), 'config')).toBe(true);
  expect(mayLimit(supply({ nodes, limits: limits({}) }), 'none')).toBe(false);
});
