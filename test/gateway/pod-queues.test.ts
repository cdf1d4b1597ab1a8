import { expect, test } from 'vitest';
import { createPodQueues } from '../../src/gateway/pod-queues.ts';

interface Waiting {
  readonly name: string;
  readonly arrivedAt: number;
  readonly inputTokens: number;
}
const request = (name: string, arrivedAt = 0, inputTokens = 800): Waiting => ({ name, arrivedAt, inputTokens });

const queues = (settings: { ttft: number; serveLate: number } | null = { ttft: 2, serveLate: 0 }) => {
  const sent: string[] = [];
  const made = createPodQueues<string, Waiting>(
    () => settings,
    ({ name }, pod) => sent.push(`${name} ${pod}`),
  );
  return { ...made, sent };
};

test('a pod gets two prompts at a time, and the next one when it has read one', () => {
  const { join, read, sent, waiting, untilFirstToken } = queues();
  const all = ['a', 'b', 'c', 'd'].map((name) => request(name));
  for (const one of all) join(one, 'p', 0);
  expect([sent, waiting('p')]).toEqual([['a p', 'b p'], 2]);
  read(all[0]!, 'p', 0.5);
  expect([sent.at(-1), waiting('p')]).toEqual(['c p', 1]);
  expect(untilFirstToken()).toBeGreaterThan(0);
});

test('or more, while they are short', () => {
  const { join, sent } = queues();
  for (const name of ['a', 'b', 'c', 'd', 'e']) join(request(name, 0, 300), 'p', 0);
  expect(sent).toHaveLength(4);
});

test('a request that goes makes room, whether it was read or not', () => {
  const { join, leave, sent, waiting } = queues();
  const all = ['a', 'b', 'c', 'd'].map((name) => request(name));
  for (const one of all) join(one, 'p', 0);
  leave(all[2]!, 1);
  leave(all[0]!, 1);
  expect([sent, waiting('p')]).toEqual([['a p', 'b p', 'd p'], 0]);
});

test('a pod that nobody waits for takes from the longest queue', () => {
  const { join, serve, sent } = queues();
  for (const name of ['a', 'b', 'c', 'd', 'e']) join(request(name), 'p', 0);
  serve('q', 1);
  expect(sent.slice(2)).toEqual(['c q', 'd q']);
});

test('those who can still be in time go first', () => {
  const { join, read, sent } = queues();
  const all = [request('a', 0), request('b', 0), request('late', 0), request('new', 5)];
  for (const one of all) join(one, 'p', one.arrivedAt);
  read(all[0]!, 'p', 5.5);
  expect(sent.at(-1)).toBe('new p');
});

test('what waits for a pod that is gone is given back', () => {
  const { join, keep, waiting } = queues();
  for (const name of ['a', 'b', 'c']) join(request(name), 'p', 0);
  expect([keep(new Set(['q'])).map(({ name }) => name), waiting('p')]).toEqual([['c'], 0]);
});

test('where nothing says by when, all is sent at once', () => {
  const { join, sent } = queues(null);
  for (const name of ['a', 'b', 'c']) join(request(name), 'p', 0);
  expect(sent).toHaveLength(3);
});
