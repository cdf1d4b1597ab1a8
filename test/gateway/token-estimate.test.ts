import { expect, test } from 'vitest';
import { tokenEstimate } from '../../src/gateway/token-estimate.ts';

test('before any count four characters are a token', () => {
  expect(tokenEstimate().inputTokens(400)).toBe(100);
  expect(tokenEstimate().outputTokens(null)).toBe(256);
  expect(tokenEstimate().outputTokens(20)).toBe(20);
});

test('a template’s fixed part and the tokens per character are learned', () => {
  const estimate = tokenEstimate();
  for (const characters of [40, 4000, 400, 12, 9000, 700]) estimate.learn(characters, 30 + characters / 3, 100);
  for (const characters of [30, 600, 30_000])
    expect(estimate.inputTokens(characters)).toBe(Math.round(30 + characters / 3));
  expect(estimate.outputTokens(null)).toBeCloseTo(100);
});

test('prompts of one length tell the mean only', () => {
  const estimate = tokenEstimate();
  for (let time = 0; time < 5; time += 1) estimate.learn(1000, 200, 10);
  expect([estimate.inputTokens(1000), estimate.inputTokens(2000)]).toEqual([200, 400]);
});

test('another tokenizer is learned anew', () => {
  const estimate = tokenEstimate();
  const sizes = Array.from({ length: 1500 }, (_, index) => 100 + 37 * (index % 50));
  for (const characters of sizes) estimate.learn(characters, characters / 4, 50);
  for (const characters of sizes) estimate.learn(characters, characters, 500);
  expect(estimate.inputTokens(1000)).toBeGreaterThan(950);
  expect(estimate.outputTokens(null)).toBeGreaterThan(490);
});
