import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ApiCall, apiCalls } from '../../src/gateway/api-calls.ts';
import { noPrompt, promptSize } from '../../src/gateway/prompt-size.ts';

const text = (characters: number) => ({ ...noPrompt, characters });

test.each<{ name: string; call: ApiCall; body: Record<string, unknown>; size: object }>([
  { name: 'a text', call: 'completions', body: { prompt: 'four' }, size: text(4) },
  {
    name: 'a prompt that is tokens already',
    call: 'completions',
    body: { prompt: [[1, 2], [3]] },
    size: { ...noPrompt, tokens: 3 },
  },
  { name: 'what stands in another field', call: 'completions', body: { suffix: 'four', user: 'me' }, size: noPrompt },
  {
    name: 'the system prompt of Anthropic',
    call: 'messages',
    body: { system: 'ab', messages: [{ content: 'cde' }] },
    size: text(5),
  },
  { name: 'the instructions of a response', call: 'responses', body: { instructions: 'ab', input: 'cde' }, size: text(5) },
  {
    name: 'a tool call, as the model reads it',
    call: 'chat',
    body: { messages: [{ content: [{ type: 'tool_use' }] }] },
    size: text(19),
  },
  { name: 'the content of what has a text too', call: 'chat', body: { messages: [{ content: 'ab', text: 'c' }] }, size: text(2) },
  { name: 'tools', call: 'chat', body: { messages: [], tools: [{ a: 1 }] }, size: text('[{"a":1}]'.length) },
  { name: 'tools of a call that has none', call: 'completions', body: { prompt: '', tools: [{ a: 1 }] }, size: noPrompt },
  {
    name: 'an image, a sound and a video',
    call: 'chat',
    body: { messages: [{ content: [{ type: 'image_url' }, { type: 'input_audio' }, { type: 'video_url' }] }] },
    size: { ...noPrompt, parts: { image: 1, audio: 1, other: 1 } },
  },
  {
    name: 'a part whose content is null',
    call: 'chat',
    body: { messages: [{ content: null, type: 'image' }] },
    size: { ...noPrompt, parts: { image: 1, audio: 0, other: 0 } },
  },
  {
    name: 'a question with each document',
    call: 'rerank',
    body: { query: 'abc', documents: ['d', 'ef'] },
    size: text(2 * 3 + 3),
  },
  {
    name: 'as many questions as documents',
    call: 'score',
    body: { text_1: ['abc', 'd'], text_2: ['ef', 'g'] },
    size: text(4 + 3),
  },
  { name: 'one text against another', call: 'score', body: { queries: 'abc', documents: 'de' }, size: text(5) },
  { name: 'a sound, of which only its engine knows', call: 'transcription', body: { prompt: 'abc' }, size: noPrompt },
])('the size of $name', ({ call, body, size }) => {
  expect(promptSize(call, body)).toEqual(size);
});

/** Texts and token ids in lists of any depth, and what they come to. */
const nested = fc.letrec<{ part: unknown }>((tie) => ({
  part: fc.oneof({ maxDepth: 4 }, fc.string(), fc.nat(), fc.array(tie('part'), { maxLength: 4 })),
})).part;
const flat = (part: unknown): readonly unknown[] => (Array.isArray(part) ? part.flatMap(flat) : [part]);

test('how a prompt is divided into texts and lists changes nothing', () => {
  fc.assert(
    fc.property(nested, (prompt) => {
      const parts = flat(prompt);
      expect(promptSize('completions', { prompt })).toEqual({
        ...noPrompt,
        characters: parts.reduce((sum: number, part) => sum + (typeof part === 'string' ? part.length : 0), 0),
        tokens: parts.filter((part) => typeof part === 'number').length,
      });
    }),
  );
});

test('whatever a client sends has a size, and the body stays as it is', () => {
  const calls = Object.keys(apiCalls) as ApiCall[];
  const fields = ['prompt', 'messages', 'input', 'instructions', 'system', 'query', 'documents', 'text_1', 'tools'];
  const body = fc.dictionary(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 4 }));
  fc.assert(
    fc.property(fc.constantFrom(...calls), body, (call, sent) => {
      const before = JSON.stringify(sent);
      const { characters, tokens, parts } = promptSize(call, sent);
      for (const count of [characters, tokens, ...Object.values(parts)])
        expect(count).toSatisfy((n: number) => Number.isInteger(n) && n >= 0);
      expect(JSON.stringify(sent)).toBe(before);
    }),
  );
});
