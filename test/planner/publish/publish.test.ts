import { expect, test } from 'vitest';
import { type PublishParts, publish, type ReplicasTold } from '../../../src/planner/publish/publish.ts';
import { emptyMemory } from '../../../src/planner/remember/tick-memory.ts';
import type { TickOutcome } from '../../../src/planner/report/tick-outcome.ts';

const decided: TickOutcome = {
  ...{
    memory: emptyMemory,
    targets: [],
    models: [],
    snapshot: null,
    plan: null,
    routes: [],
    unsure: [],
    problems: [],
    plansMade: 0,
  },
};
const shares = (superseded: boolean, ...problems: string[]): ReplicasTold => ({ superseded, problems });
/** What was done, in order, and what is said to be wrong. */
const published = async (more: (done: string[]) => Partial<PublishParts> = () => ({})) => {
  const done: string[] = [];
  const board = { publish: (outcome: TickOutcome, at: number) => void done.push(`board ${outcome === decided} ${at}`) };
  const ready = new Map([['ns/a', 3]]);
  const problems = await publish(decided, { now: 1000, ready }, { board, clock: () => 1005, ...more(done) });
  return { done, problems };
};

test('without other replicas and routers the board alone is told, by our own clock', async () => {
  expect(await published()).toEqual({ done: ['board true 1005'], problems: [] });
});

test('other replicas are told before the board and routers after it, and what is wrong with either is said', async () => {
  const outcome = await published((done) => ({
    tellReplicas: async (outcome, now) => {
      await null;
      done.push(`share ${outcome === decided} ${now}`);
      return shares(false, 'not shared');
    },
    tellRouters: async (outcome, ready, now) => {
      done.push(`route ${outcome === decided} ${ready('ns/a')} ${ready('ns/b')} ${now}`);
      return ['not routed'];
    },
  }));
  expect(outcome).toEqual({
    done: ['share true 1000', 'board true 1005', 'route true 3 0 1000'],
    problems: ['not shared', 'not routed'],
  });
});

test('where another replica leads by now neither the board nor a router is told', async () => {
  const outcome = await published((done) => ({
    tellReplicas: async () => shares(true, 'another leads'),
    tellRouters: async () => {
      done.push('route');
      return [];
    },
  }));
  expect(outcome).toEqual({ done: [], problems: ['another leads'] });
});

test('what fails before the board is told leaves it as it was, and what fails after it does not', async () => {
  const failing = async (part: 'tellReplicas' | 'tellRouters') => {
    const seen: string[] = [];
    const fails = async (): Promise<never> => {
      throw new Error('broken');
    };
    const board = { publish: () => void seen.push('board') };
    const parts: PublishParts = { board, clock: () => 1005, [part]: fails };
    await expect(publish(decided, { now: 1000, ready: new Map() }, parts)).rejects.toThrow('broken');
    return seen;
  };
  expect(await failing('tellReplicas')).toEqual([]);
  expect(await failing('tellRouters')).toEqual(['board']);
});
