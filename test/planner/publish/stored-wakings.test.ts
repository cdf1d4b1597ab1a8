import { expect, test } from 'vitest';
import type { WakingHistory } from '../../../src/planner/believe/waking-ahead.ts';
import { decodedWakings, encodedWakings } from '../../../src/planner/publish/stored-wakings.ts';

const idle = { idleFrom: 1000, idleAt: 2000, began: null };
const history: WakingHistory = {
  ...idle,
  shape: [
    { inputTokens: 100, outputTokens: 40, share: 0.25 },
    { inputTokens: 300, outputTokens: 80, share: 0.75 },
  ],
  habits: [
    {
      next: 3000,
      days: [
        { at: 500, rate: 2.5 },
        { at: 900, rate: null },
      ],
    },
  ],
};
const again = (wakings: Readonly<Record<string, WakingHistory>>) =>
  decodedWakings(JSON.parse(JSON.stringify(encodedWakings(new Map(Object.entries(wakings))))));

test('habits come back as they were, with the mean size in place of the sizes', () => {
  expect(again({ m: history })).toEqual(
    new Map([['m', { ...history, shape: [{ inputTokens: 250, outputTokens: 70, share: 1 }] }]]),
  );
  expect(again({ m: { ...history, shape: null } }).get('m')?.shape).toBeNull();
});

test('a name without a habit is not stored', () => {
  expect(again({ m: { ...history, habits: [] } }).size).toBe(0);
});
