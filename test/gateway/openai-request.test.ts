import { expect, test } from 'vitest';
import { type ApiCall, readRequest } from '../../src/gateway/openai-request.ts';

const read = (call: ApiCall, body: object) => {
  const request = readRequest(call, JSON.stringify({ model: 'm', ...body }));
  if (typeof request === 'string') throw new Error(request);
  return request;
};

test.each<[ApiCall, object, number, number]>([
  ['completions', { prompt: 'four' }, 4, 0],
  ['completions', { prompt: ['ab', 'cd'] }, 4, 0],
  ['completions', { prompt: [1, 2, 3] }, 0, 3],
  ['completions', { prompt: [[1, 2], [3]] }, 0, 3],
  ['completions', {}, 0, 0],
  ['embeddings', { input: ['abc', 'de'] }, 5, 0],
  [
    'chat',
    {
      messages: [
        { role: 'system', content: 'ab' },
        { role: 'user', content: 'cde' },
      ],
    },
    5,
    0,
  ],
  [
    'chat',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'abc' },
            { type: 'image_url', image_url: { url: 'x'.repeat(100) } },
          ],
        },
      ],
    },
    3,
    0,
  ],
  ['chat', { messages: [], tools: [{ a: 1 }] }, 9, 0],
  ['chat', { messages: 'odd' }, 3, 0],
])('%s %j is of %d characters and %d tokens', (call, body, characters, tokens) => {
  expect(read(call, body)).toMatchObject({ model: 'm', characters, tokens });
});

test('images, sounds and others are counted by kind, however they are written', () => {
  const content = [
    { type: 'text', text: 'abc' },
    { type: 'image_url', image_url: { url: 'x' } },
    { type: 'input_image', image_url: 'x' },
    { type: 'input_audio', input_audio: { data: 'x' } },
    { type: 'audio_url', audio_url: { url: 'x' } },
    { type: 'video_url', video_url: { url: 'x' } },
    { type: 'file', file: {} },
    { type: 'image_url', text: null },
  ];
  const messages = [
    { role: 'user', content },
    { role: 'assistant', content: null, tool_calls: [{ type: 'function' }] },
  ];
  expect(read('chat', { messages })).toMatchObject({ characters: 3, parts: { image: 3, audio: 2, other: 2 } });
});

test.each([
  ['', 'the body is no JSON object'],
  ['[]', 'the body is no JSON object'],
  ['{"model":', 'the body is no JSON object'],
  ['{}', 'model is missing'],
  ['{"model":7}', 'model is missing'],
])('%j: %s', (text, message) => {
  expect(readRequest('chat', text)).toBe(message);
});

test('a stream is asked for its usage counts, without touching the rest of the body', () => {
  const text = '{"model":"m","stream":true,"seed":12345678901234567890}\n';
  const request = readRequest('chat', text);
  expect(request).toMatchObject({
    stream: true,
    usageAsked: false,
    body: '{"model":"m","stream":true,"seed":12345678901234567890,"stream_options":{"include_usage":true}}',
  });
});

test.each([
  [{ stream: true, stream_options: { include_usage: true } }, true],
  [{ stream: true, stream_options: { include_usage: false, other: 1 } }, false],
  [{ stream: true, stream_options: null }, false],
])('%j', (body, asked) => {
  const request = read('chat', body);
  expect(request.usageAsked).toBe(asked);
  expect(JSON.parse(request.body).stream_options).toMatchObject({ include_usage: true });
});

test('what is no stream is passed on as it is', () => {
  const text = ' {"model":"m", "stream":false} ';
  expect(readRequest('completions', text)).toMatchObject({ body: text, stream: false });
  expect(readRequest('embeddings', '{"model":"m","stream":true}')).toMatchObject({ stream: false });
});

test.each([
  [{ max_tokens: 5 }, 5],
  [{ max_tokens: 5, max_completion_tokens: 7 }, 7],
  [{ max_tokens: 'many' }, null],
  [{}, null],
])('%j allows %s output tokens', (body, most) => {
  expect(read('completions', body).mostOutputTokens).toBe(most);
});
