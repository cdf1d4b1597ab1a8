import { describe, expect, test } from 'vitest';
import { emptyMemory, joinedReports, type Memory, memoryAfter, type Report } from '../../../src/planner/publish/tick-outcome.ts';
import type { Plan, Snapshot, Status } from '../../../src/vocabulary/planning-documents.ts';
import { steady } from '../../helpers/planner.ts';

const part = (more: Partial<Report> = {}): Report => ({
  ...{ targets: [], models: [], snapshot: null, plan: null, routes: [], loads: new Map() },
  moved: { decisions: new Map(), recent: new Map() },
  ...more,
});
const plan = (name: string, cost: number, status: Status = 'optimal', bound: number | null = cost): Plan => ({
  ...{ status, cost, bound, gap: null, servedGap: null, solve: { milliseconds: 5, nodes: 2, work: 0 } },
  models: [{ name, cost, replicas: {}, routing: [], beyondSlo: [], unserved: [] }],
});

describe('the parts of a tick as one', () => {
  test('say what each says, one after the other', () => {
    const [target] = steady.targets;
    const [model] = steady.models;
    const [some, more] = [
      { ...model!, name: 'a' },
      { ...model!, name: 'b' },
    ];
    const joined = joinedReports([part({ targets: [target!], models: [some] }), part(), part({ models: [more] })]);
    expect(joined).toEqual({ targets: [target], models: [some, more], snapshot: null, plan: null, routes: [] });
  });

  test('of one part are that part', () => {
    const [snapshot, only] = [{ models: [] } as unknown as Snapshot, plan('a', 3)];
    const joined = joinedReports([part({ snapshot, plan: only })]);
    expect(joined.snapshot).toBe(snapshot);
    expect(joined.plan).toBe(only);
  });

  test('have the costs of all plans, and the worst status', () => {
    const { plan: joined } = joinedReports([part({ plan: plan('a', 3) }), part(), part({ plan: plan('b', 5, 'feasible', 4) })]);
    expect(joined).toMatchObject({ status: 'feasible', cost: 8, bound: 7, gap: 0.125, solve: { nodes: 4 } });
    expect(joined?.models.map(({ name }) => name)).toEqual(['a', 'b']);
    const short = joinedReports([part({ plan: plan('a', 3) }), part({ plan: plan('b', 5, 'infeasible', null) })]).plan;
    expect(short).toMatchObject({ status: 'infeasible', bound: null, gap: null });
  });

  test('without a part there is nothing', () => {
    expect(joinedReports([])).toEqual({ targets: [], models: [], snapshot: null, plan: null, routes: [] });
  });
});

describe('what is remembered', () => {
  /** Of Deployments in namespace `ns`. */
  const of = <Value>(values: Readonly<Record<string, Value>>) =>
    new Map(Object.entries(values).map(([name, value]) => [`ns/${name}`, value]));
  const decision = (replicas: number) => ({ replicas, asOf: 0 });
  const before: Memory = {
    ...emptyMemory,
    planned: { loads: of({ a: 1, b: 2, gone: 3 }) },
    moved: { decisions: of({ a: decision(1), b: decision(2), gone: decision(3) }), recent: of({ a: [], gone: [] }) },
  };
  const deployments = of({ a: null, b: null, new: null });

  test('is what was decided newly, and what was before where nothing was', () => {
    const believed = { ...emptyMemory.believed };
    const recent = of({ a: [{ at: 7, replicas: 4 }] });
    const parts = [
      part({ loads: of({ a: 10 }), moved: { decisions: of({ a: decision(4) }), recent } }),
      part({ loads: of({ new: 30 }), moved: { decisions: of({ new: decision(5) }), recent: new Map() } }),
    ];
    const after = memoryAfter(before, believed, parts, deployments);
    expect(after.believed).toBe(believed);
    expect(after.planned).toEqual({ loads: of({ a: 10, b: 2, new: 30 }) });
    expect(after.moved).toEqual({ decisions: of({ a: decision(4), b: decision(2), new: decision(5) }), recent });
  });

  test('is nothing of a Deployment that is not there, though it was decided for', () => {
    const late = part({ moved: { decisions: of({ gone: decision(9) }), recent: new Map() } });
    expect([...memoryAfter(before, before.believed, [late], deployments).moved.decisions.keys()]).toEqual(['ns/a', 'ns/b']);
    expect(memoryAfter(before, before.believed, [late], new Map())).toEqual(emptyMemory);
  });

  test('stays where nothing was decided, and the memory before is left alone', () => {
    expect(memoryAfter(before, before.believed, [], new Map([...deployments, ['ns/gone', null]]))).toEqual(before);
    memoryAfter(before, before.believed, [], deployments);
    expect(before.moved.decisions.size).toBe(3);
  });
});
