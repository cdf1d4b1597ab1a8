import { expect, test } from 'vitest';
import { chunkOf, eventReader } from '../../src/benchmark/sse.ts';

test('events are whole however the stream is cut', () => {
  const stream = ': comment\r\ndata: {"a":1}\r\n\r\nevent: x\ndata:two\ndata: lines\n\ndata: [DONE]\n\ndata: cut';
  for (let size = 1; size < stream.length; size += 1) {
    const seen: string[] = [];
    const read = eventReader((data) => seen.push(data));
    for (let at = 0; at < stream.length; at += size) read(stream.slice(at, at + size));
    expect(seen).toEqual(['{"a":1}', 'two\nlines', '[DONE]']);
  }
});

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
