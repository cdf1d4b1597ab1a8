import { expect, test } from 'vitest';
import { chunkOf } from '../../src/benchmark/answer-chunk.ts';

test.each([
  ['[DONE]', { kind: 'end' }],
  ['{"choices":[{"text":" hi"}]}', { kind: 'part', text: ' hi', finished: false, usage: null }],
  ['{"choices":[{"delta":{"content":"hi"}}],"usage":null}', { kind: 'part', text: 'hi', finished: false, usage: null }],
  ['{"choices":[{"delta":{"reasoning_content":"hm"}}]}', { kind: 'part', text: 'hm', finished: false, usage: null }],
  [
    '{"choices":[{"delta":{"role":"assistant"},"finish_reason":"length"}]}',
    { kind: 'part', text: '', finished: true, usage: null },
  ],
  [
    '{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}',
    { kind: 'part', text: null, finished: false, usage: { inputTokens: 3, outputTokens: 4 } },
  ],
  ['{"error":{"message":"out of memory"}}', { kind: 'error', message: 'out of memory' }],
  ['{"choices"', { kind: 'error', message: 'an event is no JSON object: {"choices"' }],
  ['7', { kind: 'error', message: 'an event is no JSON object: 7' }],
])('%s', (data, expected) => expect(chunkOf(data)).toEqual(expected));
