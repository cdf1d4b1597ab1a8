import { expect, test } from 'vitest';
import { responseId, tellsOfError, usageOf } from '../../src/gateway/usage-and-errors.ts';

test.each<[string, unknown, readonly [number, number] | null]>([
  ['OpenAI completions', { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 }, [100, 7]],
  ['embeddings, which make no tokens', { prompt_tokens: 100, total_tokens: 100 }, [100, 0]],
  [
    'responses, whose cache is within the input',
    { input_tokens: 100, output_tokens: 7, input_tokens_details: { cached_tokens: 60 } },
    [100, 7],
  ],
  [
    'messages, whose cache is beside it',
    { input_tokens: 10, cache_creation_input_tokens: 20, cache_read_input_tokens: 70, output_tokens: 7 },
    [100, 7],
  ],
  ['the last event of messages', { output_tokens: 7 }, [0, 7]],
  ['a ranking', { total_tokens: 100 }, [100, 0]],
  ['counts that are no numbers', { prompt_tokens: '100', completion_tokens: null }, null],
  ['nothing', null, null],
  ['a list', [100, 7], null],
])('the usage of %s', (_, usage, counts) => {
  expect(usageOf(usage)).toEqual(counts === null ? null : { inputTokens: counts[0], outputTokens: counts[1] });
});

test.each<[unknown, boolean]>([
  [{ error: { message: 'x' } }, true],
  [{ error: 'x' }, true],
  [{ object: 'error', message: 'x' }, true],
  [{ type: 'error', error: null }, true],
  [{ type: 'response.failed' }, true],
  [{ object: 'response', status: 'failed' }, true],
  [{ object: 'response', status: 'completed', error: null }, false],
  [{ error: false }, false],
  [{ status: 'failed' }, false],
  [{ choices: [{ text: '{"error": "none"}' }] }, false],
  ['error', false],
  [null, false],
])('%j tells of an error: %s', (answer, tells) => {
  expect(tellsOfError(answer)).toBe(tells);
});

test.each<[unknown, string | null]>([
  [{ object: 'response', id: 'resp_1' }, 'resp_1'],
  [{ object: 'chat.completion', id: 'resp_1' }, null],
  [{ object: 'response', id: 1 }, null],
  ['resp_1', null],
])('the id of %j is %s', (answer, id) => {
  expect(responseId(answer)).toBe(id);
});
