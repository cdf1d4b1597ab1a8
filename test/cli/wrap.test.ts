import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrapped } from '../../src/cli/wrap.ts';

test('a line is broken between words, and goes on further in', () => {
  expect(wrapped('  one two three four\nfive', 12)).toBe('  one two\n    three\n    four\nfive');
  expect(wrapped('one two three', undefined)).toBe('one two three');
  expect(wrapped('one two', 7)).toBe('one two');
});

test('no line is longer than the terminal unless one word is, and no word is broken or lost', () => {
  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 16, max: 40 }), (words, columns) => {
      const lines = wrapped(words.join(' '), columns).split('\n');
      expect(lines.every((line) => line.length <= columns)).toBe(true);
      expect(lines.flatMap((line) => line.trim().split(' '))).toEqual(words);
    }),
  );
});
