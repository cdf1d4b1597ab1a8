import { describe, expect, test } from 'vitest';
import type { Supply } from '../../../src/cluster/stock.ts';
import { limitsNow, makeSnapshot, type SnapshotSettings } from '../../../src/planner/plan/make-snapshot.ts';
import { noLimits } from '../../../src/planner/plan/stock-limits.ts';
import { belief, candidate } from '../../helpers/beliefs.ts';
import { deployment } from '../../helpers/deployments.ts';

const settings: SnapshotSettings = { routerKnowledge: 'auto', stockSource: 'nodes', budget: 40, nodeLimit: 100, workLimit: 1000 };
const reading = { now: 1000, workload: { heartbeatAt: 995 } };
const demand = [{ inputTokens: 1024, outputTokens: 64, arrivalRate: 3 }];

describe('the snapshot', () => {
  test('it has the time, the limits and the settings of the solve', () => {
    expect(makeSnapshot([], reading, { ...noLimits, stock: { a: 4 } }, new Map(), settings)).toEqual({
      now: '1970-01-01T00:16:40.000Z',
      models: [],
      stock: { a: 4 },
      budget: 40,
      routing: 'input',
      nodeLimit: 100,
      workLimit: 1000,
    });
    expect(makeSnapshot([], reading, noLimits, new Map(), { ...settings, workLimit: 7 }).workLimit).toBe(7);
    const quotas = { ns: { '*': 8 } };
    expect(makeSnapshot([], reading, { ...noLimits, quotas }, new Map(), settings).quotas).toEqual(quotas);
  });

  test('a model has the highest priority of its Deployments, and its variants serve its demand', () => {
    const deployments = [deployment('a', { priority: -2 }), deployment('b', { priority: 7 })];
    const candidates = [candidate('a', { bounds: { minReplicas: 1, maxReplicas: 5 }, replicas: 3, ready: 2 })];
    const [model] = makeSnapshot([belief({ deployments, candidates, demand })], reading, noLimits, new Map(), settings).models;
    expect(model).toMatchObject({ name: 'm', priority: 7, demand, previous: null });
    expect(model!.variants).toEqual([
      expect.objectContaining({ name: 'ns/a', minReplicas: 1, maxReplicas: 5, running: 3, ready: 2, throughput: [5] }),
    ]);
    expect(model).not.toHaveProperty('routing');
  });

  test('what was decided last is the previous plan, as far as its Deployments still take part', () => {
    const decisions = new Map([
      ['ns/a', { replicas: 4, asOf: 0 }],
      ['ns/gone', { replicas: 9, asOf: 0 }],
    ]);
    const { models } = makeSnapshot([belief()], reading, noLimits, decisions, settings);
    expect(models[0]!.previous).toEqual({ replicas: { 'ns/a': 4 } });
    expect(models[0]!.demand).toEqual([]);
  });
});

describe('limits', () => {
  const nodes = new Map([['node', { gpu: 'a', gpus: 10, usable: true, elastic: false }]]);
  const supply: Supply = { nodes, slices: [], holders: [], quotas: [], limits: null };
  const models = [belief({ deployments: [deployment('a'), deployment('b', { gpu: 'a', replicas: 2 })], demand })];
  const stock = (decided: number, given = settings) =>
    limitsNow(models, supply, new Map([['ns/b', { replicas: decided, asOf: 0 }]]), given).stock;

  test('a Deployment that takes no part keeps what it runs, or what it was told if that is more', () => {
    expect(stock(1)).toEqual({ a: 8 });
    expect(stock(3)).toEqual({ a: 7 });
  });

  test('nothing is limited where nothing is shown, or nothing of it is to be believed', () => {
    expect(limitsNow(models, undefined, new Map(), settings)).toBe(noLimits);
    const { stockSource: _, ...withoutSource } = settings;
    expect(stock(3, withoutSource)).toEqual({});
  });
});
