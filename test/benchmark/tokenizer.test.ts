import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { calibrate } from '../../src/benchmark/calibrate.ts';
import type { Endpoint } from '../../src/benchmark/endpoint.ts';
import { tokenizerOf } from '../../src/benchmark/tokenizer.ts';
import { candidates, promptOf } from '../../src/benchmark/words.ts';
import { seeded } from '../../src/vocabulary/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpumix-tokenizer-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A token for each word that it knows, three for `student`, and one before every prompt. */
const file = join(folder, 'tokenizer.json');
const pieces = ['<s>', ...candidates.filter((word) => word !== 'student'), 'stu', '##de', '##nt', '[UNK]'];
writeFileSync(
  file,
  JSON.stringify({
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Whitespace' },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(pieces.map((piece, index) => [piece, index])),
    },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    },
  }),
);

/** An endpoint that counts in its own way, and how often it was asked. */
const endpointOf = (count: ((prompt: string) => number) | null) => {
  const asked: string[] = [];
  const endpoint: Endpoint = {
    ask: async (prompt, outputTokens) => {
      asked.push(prompt);
      const usage = count === null ? null : { inputTokens: count(prompt), outputTokens };
      return { kind: 'served', sentAt: 0, firstTokenAt: 1, doneAt: 1, usage };
    },
  };
  return { endpoint, asked };
};

test("the model's tokenizer gives prompts of the exact length, with two requests to be sure of it", async () => {
  const count = await tokenizerOf(file);
  expect([count('time year'), count('student time')]).toEqual([3, 5]);
  const { endpoint, asked } = endpointOf(count);
  const { vocabulary, warning } = await calibrate(endpoint, 512, seeded(1), count);
  expect([warning, asked.length]).toEqual([null, 2]);
  for (const length of [9, 64, 511]) expect(count(promptOf(length, vocabulary, seeded(2)).text)).toBe(length);
});

test('what the endpoint puts around every prompt is taken off', async () => {
  const count = await tokenizerOf(file);
  const chat = (prompt: string) => count(prompt) + 11;
  const { vocabulary } = await calibrate(endpointOf(chat).endpoint, 512, seeded(1), count);
  expect(chat(promptOf(100, vocabulary, seeded(2)).text)).toBe(100);
});

test('the tokenizer of another model is named in one line; where nothing is counted, it is believed', async () => {
  const count = await tokenizerOf(file);
  const twice = endpointOf((prompt) => 2 * prompt.split(' ').length).endpoint;
  await expect(calibrate(twice, 512, seeded(1), count)).rejects.toThrow(
    /^--tokenizer is not the endpoint's: a prompt that has 64 tokens by it has \d+ by the endpoint's count$/,
  );
  expect((await calibrate(endpointOf(null).endpoint, 512, seeded(1), count)).warning).toBeNull();
});

test('a file that is none is named', async () => {
  await expect(tokenizerOf(join(folder, 'none.json'))).rejects.toThrow(/^--tokenizer .*none.json: cannot be read$/);
  const bad = join(folder, 'bad.json');
  writeFileSync(bad, '{"model": 1}');
  await expect(tokenizerOf(bad)).rejects.toThrow(/^--tokenizer .*bad.json: is no tokenizer.json that is understood/);
});
