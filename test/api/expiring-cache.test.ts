import { expect, test } from 'vitest';
import { remembered } from '../../src/api/expiring-cache.ts';

const cache = (entries = 10) => {
  let now = 0;
  const asked: string[] = [];
  const recall = remembered<string>({ entries, milliseconds: 10_000, clock: () => now });
  const ask = (key: string, keep?: boolean) =>
    recall(
      key,
      async () => {
        asked.push(key);
        if (key === 'broken') throw new Error('no answer');
        return key.toUpperCase();
      },
      keep,
    );
  return {
    asked,
    ask,
    sleep: (milliseconds: number) => {
      now += milliseconds;
    },
  };
};

test('an answer holds for ten seconds (item 93)', async () => {
  const { ask, asked, sleep } = cache();
  expect(await ask('a')).toBe('A');
  sleep(9_999);
  await ask('a');
  expect(asked).toEqual(['a']);
  sleep(1);
  await ask('a');
  expect(asked).toEqual(['a', 'a']);
});

test('concurrent questions share one look-up, failures are not remembered (item 93)', async () => {
  const { ask, asked } = cache();
  await Promise.all([ask('a'), ask('a'), ask('a')]);
  expect(asked).toEqual(['a']);
  await Promise.allSettled([ask('broken'), ask('broken')]);
  await expect(ask('broken')).rejects.toThrow('no answer');
  expect(asked).toEqual(['a', 'broken', 'broken']);
});

test('the oldest goes when it is full; what must not be kept is not (item 93)', async () => {
  const { ask, asked } = cache(2);
  for (const key of ['a', 'b', 'c', 'a']) await ask(key);
  expect(asked).toEqual(['a', 'b', 'c', 'a']);
  await ask('d', false);
  await ask('d', false);
  expect(asked.slice(-2)).toEqual(['d', 'd']);
});
