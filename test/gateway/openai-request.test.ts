import { expect, test } from 'vitest';
import type { ApiCall } from '../../src/gateway/api-calls.ts';
import { readForm, readRequest } from '../../src/gateway/openai-request.ts';

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
  expect(JSON.parse(String(request.body)).stream_options).toMatchObject({ include_usage: true });
});

test('numbers keep their digits, also where stream_options is there without it, and the body of the client is kept', () => {
  const text =
    '{"model":"m","stream":true,"seed":12345678901234567890,"stream_options":{"other":9007199254740993,"include_usage":false}}';
  expect(readRequest('chat', text)).toMatchObject({
    body: '{"model":"m","stream":true,"seed":12345678901234567890,"stream_options":{"other":9007199254740993,"include_usage":true}}',
    ownBody: text,
  });
  const absent = '{"stream_options":null,"model":"m","stream":true,"seed":1e400}';
  expect(readRequest('chat', absent)).toMatchObject({
    body: '{"stream_options":{"include_usage":true},"model":"m","stream":true,"seed":1e400}',
  });
});

test('a byte order mark is skipped', () => {
  expect(readRequest('completions', '\uFEFF{"model":"m"}')).toMatchObject({ model: 'm', body: '{"model":"m"}', ownBody: null });
});

test('calls whose streams have types of their own are not asked for counts', () => {
  for (const call of ['responses', 'messages'] as const) {
    const text = '{"model":"m","stream":true,"input":"hello","messages":[]}';
    expect(readRequest(call, text)).toMatchObject({ body: text, ownBody: null, stream: true, usageAsked: true });
  }
  expect(read('responses', { previous_response_id: 'resp_1', max_output_tokens: 9 })).toMatchObject({
    previousResponse: 'resp_1',
    mostOutputTokens: 9,
  });
});

test('a form has its model beside the sound', async () => {
  const form = new FormData();
  form.set('file', new Blob([Uint8Array.of(0, 255, 128)]), 'a.wav');
  form.set('model', 'whisper');
  form.set('stream', 'true');
  const sent = new Response(form);
  const body = Buffer.from(await sent.arrayBuffer());
  const type = sent.headers.get('content-type')!;
  expect(await readForm('transcription', body, type)).toMatchObject({ model: 'whisper', stream: true, body, characters: 0 });
  form.delete('model');
  const without = new Response(form);
  const bytes = Buffer.from(await without.arrayBuffer());
  expect(await readForm('transcription', bytes, without.headers.get('content-type')!)).toBe('model is missing');
  expect(await readForm('transcription', Buffer.from('x'), type)).toMatch(/^the body is no form/);
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
