import fc from 'fast-check';
import { expect, test } from 'vitest';
import { weightedTurns } from '../../src/gateway/weighted-turns.ts';

test('each gets its share, spread out', () => {
  const turns = weightedTurns();
  expect(Array.from({ length: 7 }, () => turns({ a: 5, b: 1, c: 1 })).join('')).toBe('aabacaa');
});

test('over any stretch nobody is more than one turn per name from its share', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 }), (shares) => {
      const weights = Object.fromEntries(shares.map((share, index) => [`v${index}`, share]));
      const sum = shares.reduce((total, share) => total + share, 0);
      const turns = weightedTurns();
      const counts = new Map<string, number>();
      for (let turn = 1; turn <= 200; turn += 1) {
        const name = turns(weights)!;
        counts.set(name, (counts.get(name) ?? 0) + 1);
        for (const [one, weight] of Object.entries(weights))
          expect(Math.abs((counts.get(one) ?? 0) - (turn * weight) / sum)).toBeLessThan(shares.length);
      }
    }),
    { numRuns: 50 },
  );
});

test('who was away has nothing saved up', () => {
  const turns = weightedTurns();
  for (let turn = 0; turn < 10; turn += 1) turns({ a: 1, b: 1 });
  for (let turn = 0; turn < 10; turn += 1) expect(turns({ a: 1, c: 0.001 })).toBe('a');
  const next = Array.from({ length: 4 }, () => turns({ a: 1, b: 1 }));
  expect(next.filter((name) => name === 'b')).toHaveLength(2);
});

test('nobody, and one alone', () => {
  expect(weightedTurns()({})).toBeNull();
  expect(weightedTurns()({ a: 0.3 })).toBe('a');
});
