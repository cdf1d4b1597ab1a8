import { expect, test } from 'vitest';
import { candidates, promptOf, repeated, repeats, vocabularyOf } from '../../src/benchmark/words.ts';
import { seeded } from '../../src/vocabulary/random.ts';

/** A tokenizer that has so many tokens for a word, and so many for a prompt itself. */
const tokenizer = (overhead: number, cost: (word: string) => number) => (text: string) =>
  text.split(' ').reduce((sum, word) => sum + cost(word), overhead);
const learned = (count: (text: string) => number) =>
  vocabularyOf(
    [count(repeated(candidates[0]!, repeats)), count(repeated(candidates[0]!, 2 * repeats))],
    new Map(candidates.map((word) => [word, count(repeated(word, repeats))])),
  );

test.each([
  ['a token a word', tokenizer(0, () => 1), 1],
  ['a chat template, long words of two', tokenizer(9, (word) => (word.length > 5 ? 2 : 1)), 10],
  ['no word of one token', tokenizer(1, (word) => (word.length > 4 ? 3 : 2)), 5],
])('prompts have the exact length: %s', (_name, count, shortest) => {
  const vocabulary = learned(count);
  const random = seeded(1);
  for (let length = shortest; length < 200; length += 1) {
    const prompt = promptOf(length, vocabulary, random);
    expect([length, count(prompt.text), prompt.tokens]).toEqual([length, length, length]);
  }
});

test('no two prompts begin alike', () => {
  const random = seeded(1);
  const vocabulary = learned(tokenizer(0, () => 1));
  const begins = Array.from({ length: 1000 }, () => promptOf(64, vocabulary, random).text.slice(0, 40));
  expect(new Set(begins).size).toBe(1000);
});

test('what is too short to be made has one word, and says its length', () => {
  const count = tokenizer(12, () => 1);
  expect(promptOf(4, learned(count), seeded(1)).tokens).toBe(13);
});
