import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PromptSize } from '../../src/gateway/prompt-size.ts';
import { tokenEstimate } from '../../src/gateway/token-estimate.ts';
import { seeded } from '../../src/vocabulary/random.ts';

const parts = { image: 0, audio: 0, other: 0 };
const text = (characters: number): PromptSize => ({ characters, tokens: 0, parts });
const images = (count: number, characters = 5): PromptSize => ({
  characters,
  tokens: 0,
  parts: { ...parts, image: count },
});
/** A chat template of 30 tokens, and four characters to a token. */
const trueTokens = (characters: number): number => 30 + characters / 4;

test('before any count four characters are a token', () => {
  expect(tokenEstimate().inputTokens(text(400))).toBe(100);
  expect(tokenEstimate().outputTokens(null)).toBe(256);
  expect(tokenEstimate().outputTokens(20)).toBe(20);
});

test('a template’s fixed part and the tokens per character are learned', () => {
  const estimate = tokenEstimate();
  for (const characters of [40, 4000, 400, 12, 9000, 700]) estimate.learn(text(characters), 30 + characters / 3, 100);
  for (const characters of [30, 600, 30_000])
    expect(estimate.inputTokens(text(characters))).toBe(Math.round(30 + characters / 3));
  expect(estimate.outputTokens(null)).toBeCloseTo(100);
});

test('prompts of one length tell the mean only', () => {
  const estimate = tokenEstimate();
  for (let time = 0; time < 5; time += 1) estimate.learn(text(1000), 200, 10);
  expect([estimate.inputTokens(text(1000)), estimate.inputTokens(text(2000))]).toEqual([200, 400]);
});

test('another tokenizer is learned anew', () => {
  const estimate = tokenEstimate();
  const sizes = Array.from({ length: 1500 }, (_, index) => 100 + 37 * (index % 50));
  for (const characters of sizes) estimate.learn(text(characters), characters / 4, 50);
  for (const characters of sizes) estimate.learn(text(characters), characters, 500);
  expect(estimate.inputTokens(text(1000))).toBeGreaterThan(950);
  expect(estimate.outputTokens(null)).toBeGreaterThan(490);
});

/** A thousand requests of text, of all lengths or of about one. */
const taught = (random: () => number, spread = true) => {
  const estimate = tokenEstimate();
  const one = (): void => {
    const characters = Math.round(spread ? 40 * 100 ** random() : 1900 + 200 * random());
    estimate.learn(text(characters), Math.round(trueTokens(characters) * (0.9 + 0.2 * random())), 100);
  };
  for (let time = 0; time < 1000; time += 1) one();
  return { estimate, one };
};

describe('what is no text', () => {
  test.each([1, 5, 500])('%d requests with an image of 1,500 tokens leave the estimate of text as it is', (count) => {
    const { estimate } = taught(seeded(1));
    const before = estimate.inputTokens(text(2000));
    for (let time = 0; time < count; time += 1) estimate.learn(images(1), 1500 + trueTokens(5), 100);
    expect(estimate.inputTokens(text(2000))).toBe(before);
    expect(Math.abs(before - 530)).toBeLessThan(53);
  });

  test('an image is learned apart, by the tokens of each, and added', () => {
    const { estimate } = taught(seeded(2));
    expect(estimate.inputTokens(images(1)) - estimate.inputTokens(text(5))).toBe(500);
    for (const count of [1, 2, 1, 3, 1]) estimate.learn(images(count, 400), trueTokens(400) + 1500 * count, 100);
    const ofTwo = estimate.inputTokens(images(2, 400)) - estimate.inputTokens(text(400));
    expect(Math.abs(ofTwo - 3000)).toBeLessThan(100);
    // A sound is another thing, and of both nothing can be told.
    const both = { ...text(400), parts: { ...parts, image: 1, audio: 1 } };
    estimate.learn(both, 100_000, 100);
    expect(estimate.inputTokens({ ...text(400), parts: { ...parts, audio: 1 } })).toBe(estimate.inputTokens(text(400)) + 500);
  });

  test('tokens count as they are', () => {
    const { estimate } = taught(seeded(3));
    expect(estimate.inputTokens({ characters: 0, tokens: 77, parts })).toBe(77);
  });
});

test('one request in twenty with any count at all moves the estimate by no more than a tenth', () => {
  const hostile = fc.record({
    characters: fc.oneof(fc.constant(5), fc.integer({ min: 1, max: 100_000 })),
    tokens: fc.oneof(fc.constant(1_000_000), fc.constant(1), fc.integer({ min: 1, max: 1_000_000 })),
  });
  fc.assert(
    fc.property(fc.nat(1e6), fc.boolean(), fc.array(hostile, { minLength: 1, maxLength: 5 }), (seed, spread, some) => {
      const random = seeded(seed);
      const { estimate, one } = taught(random, spread);
      const lengths = [100, 400, 2000, 10_000];
      const before = lengths.map((characters) => estimate.inputTokens(text(characters)));
      for (let time = 0; time < 1000; time += 1)
        if (time % 20 === 7) {
          const { characters, tokens } = some[time % some.length]!;
          estimate.learn(text(characters), tokens, 1_000_000);
        } else one();
      const after = lengths.map((characters) => estimate.inputTokens(text(characters)));
      for (const [index, characters] of lengths.entries()) {
        expect(Math.abs(after[index]! / before[index]! - 1)).toBeLessThan(0.1);
        if (spread || characters === 2000) expect(Math.abs(after[index]! / trueTokens(characters) - 1)).toBeLessThan(0.1);
      }
      expect(estimate.outputTokens(null)).toBe(100);
    }),
    { numRuns: 300 },
  );
});

test('the first counts of all may be absurd', () => {
  const estimate = tokenEstimate();
  for (let time = 0; time < 2; time += 1) estimate.learn(text(5), 1_000_000, 10);
  expect(estimate.inputTokens(text(2000))).toBe(500);
});
