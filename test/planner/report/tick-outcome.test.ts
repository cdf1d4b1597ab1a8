import { describe, expect, test } from 'vitest';
import { joinedReports, type Report } from '../../../src/planner/report/tick-outcome.ts';
import type { Plan, Snapshot, Status } from '../../../src/vocabulary/planning-documents.ts';
import { steady } from '../../helpers/planner.ts';

const part = (more: Partial<Report> = {}): Report => ({
  ...{ targets: [], models: [], snapshot: null, plan: null, routes: [] },
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
