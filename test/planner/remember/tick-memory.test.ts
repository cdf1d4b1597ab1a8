import { describe, expect, test } from 'vitest';
import { emptyMemory, type Memory, memoryAfter } from '../../../src/planner/remember/tick-memory.ts';

describe('what is remembered', () => {
  /** Of Deployments in namespace `ns`. */
  const of = <Value>(values: Readonly<Record<string, Value>>) =>
    new Map(Object.entries(values).map(([name, value]) => [`ns/${name}`, value]));
  const decision = (replicas: number) => ({ replicas, asOf: 0 });
  const before: Memory = {
    ...emptyMemory,
    workPerRequest: of({ a: 1, b: 2, gone: 3 }),
    moved: {
      decisions: of({ a: decision(1), b: decision(2), gone: decision(3) }),
      wanted: of({ a: [], gone: [] }),
      forgone: new Map(),
      unwanted: new Map(),
    },
  };
  const deployments = of({ a: null, b: null, new: null });

  test('is what was decided newly, and what was before where nothing was', () => {
    const believed = { ...emptyMemory.believed };
    const wanted = of({ a: [{ at: 7, replicas: 4 }] });
    const forgone = new Map([['m', { money: 1, at: 7 }]]);
    const unwanted = new Map([['m', { seen: null, unmissed: 1 }]]);
    const parts = [
      { workPerRequest: of({ a: 10 }), moved: { decisions: of({ a: decision(4) }), wanted, forgone, unwanted } },
      { workPerRequest: of({ new: 30 }), moved: { decisions: of({ new: decision(5) }), wanted: new Map(), forgone: new Map() } },
    ];
    const after = memoryAfter(before, believed, parts, deployments);
    expect(after.believed).toBe(believed);
    expect(after.workPerRequest).toEqual(of({ a: 10, b: 2, new: 30 }));
    expect(after.moved).toEqual({
      decisions: of({ a: decision(4), b: decision(2), new: decision(5) }),
      wanted,
      forgone,
      unwanted,
    });
  });

  test('is nothing of a Deployment that is not there, though it was decided for', () => {
    const late = {
      workPerRequest: new Map(),
      moved: { decisions: of({ gone: decision(9) }), wanted: new Map(), forgone: new Map() },
    };
    expect([...memoryAfter(before, before.believed, [late], deployments).moved.decisions.keys()]).toEqual(['ns/a', 'ns/b']);
    expect(memoryAfter(before, before.believed, [late], new Map())).toEqual(emptyMemory);
  });

  test('stays where nothing was decided, and the memory before is left alone', () => {
    expect(memoryAfter(before, before.believed, [], new Map([...deployments, ['ns/gone', null]]))).toEqual(before);
    memoryAfter(before, before.believed, [], deployments);
    expect(before.moved.decisions.size).toBe(3);
  });
});
