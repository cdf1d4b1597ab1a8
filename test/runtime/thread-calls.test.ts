import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { callsThrough, type ThreadCalls } from '../../src/runtime/thread-calls.ts';

const open: MessageChannel[] = [];
afterEach(() => {
  for (const { port1 } of open.splice(0)) port1.close();
});

/** What `calls` answer when they are made from another thread. */
const remote = <Calls extends ThreadCalls>(calls: Calls) => {
  const channel = new MessageChannel();
  open.push(channel);
  callsThrough(channel.port1, calls);
  return callsThrough<Calls>(channel.port2, {});
};

test('a call answers what it answers there, at once or later, and copies what it is given', async () => {
  const given = new Map([['a', [1, 2]]]);
  const there = remote({
    sizes: (map: Map<string, number[]>) => [map.size, map === given],
    later: async (by: number) => await new Promise<number>((done) => setTimeout(done, by, by)),
  });
  expect(await there.sizes(given)).toEqual([1, false]);
  expect(await Promise.all([there.later(5), there.later(1)])).toEqual([5, 1]);
});

test('what a call throws there is thrown here, with its causes, and the calls after it are answered', async () => {
  const there = remote({
    fails: () => {
      throw new Error('no plan', { cause: new Error('no data') });
    },
    answers: () => 1,
  });
  await expect(there.fails()).rejects.toThrow('no plan: no data');
  expect(await there.answers()).toBe(1);
});

test('an answer that cannot be copied is a problem of its call alone', async () => {
  const there = remote({ code: () => () => 1, answers: () => 1 });
  await expect(there.code()).rejects.toThrow('could not be cloned');
  expect(await there.answers()).toBe(1);
});
