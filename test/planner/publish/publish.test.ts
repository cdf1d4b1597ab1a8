import { expect, test } from 'vitest';
import { type PublishParts, publish } from '../../../src/planner/publish/publish.ts';
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
    enginesToAsk: [],
    problems: [],
    plansMade: 0,
  },
};
/** What was done, in order, and what is said to be wrong. */
const published = async (more: (done: string[]) => Partial<PublishParts> = () => ({})) => {
  const done: string[] = [];
  const board = { publish: (outcome: TickOutcome, at: number) => void done.push(`board ${outcome === decided} ${at}`) };
  const ready = new Map([['ns/a', 3]]);
  const problems = await publish(decided, { now: 1000, ready }, { board, clock: () => 1005, ...more(done) });
  return { done, problems };
};

test('where no router listens the board alone is told, by our own clock', async () => {
  expect(await published()).toEqual({ done: ['board true 1005'], problems: [] });
});

test('routers are told after the board, and what is wrong with them is said', async () => {
  const outcome = await published((done) => ({
    tellRouters: async (outcome, ready, now) => {
      await null;
      done.push(`route ${outcome === decided} ${ready('ns/a')} ${ready('ns/b')} ${now}`);
      return ['not routed'];
    },
  }));
  expect(outcome).toEqual({ done: ['board true 1005', 'route true 3 0 1000'], problems: ['not routed'] });
});

test('where routers cannot be told the board has been', async () => {
  const seen: string[] = [];
  const parts: PublishParts = {
    board: { publish: () => void seen.push('board') },
    clock: () => 1005,
    tellRouters: async () => {
      throw new Error('broken');
    },
  };
  await expect(publish(decided, { now: 1000, ready: new Map() }, parts)).rejects.toThrow('broken');
  expect(seen).toEqual(['board']);
});
