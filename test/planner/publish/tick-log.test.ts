import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { tickLog } from '../../../src/planner/publish/tick-log.ts';
import { emptyMemory } from '../../../src/planner/remember/tick-memory.ts';
import type { TickOutcome } from '../../../src/planner/report/tick-outcome.ts';
import { targetOf, troubledModel } from '../../helpers/tick-outcomes.ts';

test('changes and problems are said once, and a problem also when it is gone', () => {
  const lines: { msg: string; problem?: string; target?: string; model?: string; reason?: string }[] = [];
  const report = tickLog(pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(JSON.parse(line)) }));
  const decided = (replicas: number): TickOutcome => ({
    memory: emptyMemory,
    targets: [targetOf('a', { replicas, asOf: 0 })],
    models: [troubledModel],
    snapshot: null,
    plan: null,
    routes: [],
    enginesToAsk: [],
    problems: [],
    plansMade: 1,
  });
  report(decided(1), ['broken record']);
  report(decided(1), ['broken record']);
  // A tick later.
  const steady = vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 10_000);
  report(decided(2), []);
  steady.mockRestore();
  expect(lines.map(({ msg, problem, target: to }) => [msg, problem ?? to])).toEqual([
    ['problem', 'broken record'],
    ['state', undefined],
    ['target', '1'],
    ['problem gone', 'broken record'],
    ['target', '2'],
  ]);
  const { reason } = lines.at(-1)!;
  expect([lines.at(-1)!.model, reason]).toEqual(['m', '3.5 req/s are planned for']);
});

test.each([
  [{ unavailable: 'stale: why' }, {}, 'stale: why'],
  [{ replicas: 5, asOf: 0, pinned: true }, {}, 'pinned by the annotation gpumix.io/pin'],
  [{ replicas: 5, asOf: 0, waiting: 1 }, {}, '3.5 req/s are planned for; 1 beyond the plan wait for a GPU that may come'],
  [
    { replicas: 0, asOf: 0, idle: true },
    { state: 'idle', reason: 'no request for 900 s', arrivalRate: null },
    'idle: no request for 900 s',
  ],
  [
    { replicas: 2, asOf: 0 },
    { state: 'idle', reason: 'woken ahead: why', arrivalRate: 3.5 },
    '3.5 req/s are planned for: woken ahead: why',
  ],
] as const)('the log says why a target is %j', (decision, more, reason) => {
  const lines: { msg: string; reason?: string }[] = [];
  const report = tickLog(pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }));
  const told = {
    ...{ memory: emptyMemory, snapshot: null, plan: null, routes: [], enginesToAsk: [], problems: [], plansMade: 1 },
  };
  report({ ...told, targets: [targetOf('a', decision)], models: [{ ...troubledModel, ...more }] }, []);
  expect(lines.find(({ msg }) => msg === 'target')?.reason).toBe(reason);
});

test('what is gone and comes back is said again, and a plan is told of with what it took', () => {
  const lines: Record<string, unknown>[] = [];
  const report = tickLog(pino({ level: 'debug', base: null }, { write: (line: string) => void lines.push(JSON.parse(line)) }));
  const told = { ...{ memory: emptyMemory, snapshot: null, routes: [], enginesToAsk: [], problems: [], plansMade: 3 } };
  const solve = { milliseconds: 5, nodes: 2, work: 900 };
  const plan = { ...{ version: 1, status: 'optimal', cost: 8, bound: 8, gap: 0, servedGap: null, models: [] }, solve } as never;
  const here = { targets: [targetOf('a', { replicas: 1, asOf: 0 })], models: [troubledModel] };
  for (const part of [here, { targets: [], models: [] }, here]) report({ ...told, ...part, plan: null }, []);
  expect(lines.map(({ msg }) => msg)).toEqual(['state', 'target', 'state', 'target']);
  report({ ...told, ...here, plan }, []);
  expect(lines.at(-1)).toMatchObject({ msg: 'planned', status: 'optimal', cost: 8, gap: 0, ...solve, plansMade: 3 });
  expect(lines).toHaveLength(5);
});
