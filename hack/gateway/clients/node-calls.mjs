/** The clients of OpenAI and Anthropic for Node: node-calls.mjs NAME URL makes one call and prints what it came to. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.cwd()}/`));
const load = async (name) => (await import(pathToFileURL(require.resolve(name)).href)).default;
const [, , name, url] = process.argv;
const OpenAI = await load('openai');
const Anthropic = await load('@anthropic-ai/sdk');
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'k', maxRetries: 0 });
const anthropic = new Anthropic({ baseURL: url, apiKey: 'k', maxRetries: 0 });

const model = 'm';
const messages = [{ role: 'user', content: 'hello' }];
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }];
const sound = () => new File([Uint8Array.of(0, 255, 128)], 'a.wav');
const usage = (found) => JSON.stringify(found ?? null);
/** Text of a stream, and the counts that the client saw. */
const streamed = async (stream) => {
  let [text, counts] = ['', null];
  for await (const { choices, usage: found } of stream) {
    const { text: piece, delta } = choices[0] ?? {};
    text += piece ?? delta?.content ?? delta?.reasoning ?? '';
    counts = found ?? counts;
  }
  return `${text} ${usage(counts)}`;
};
const chat = (more) => openai.chat.completions.create({ model, messages, ...more });
const anthropicMessage = (more) => anthropic.messages.create({ model, max_tokens: 9, messages, ...more });

const calls = {
  'completions.create': async () => (await openai.completions.create({ model, prompt: 'hello' })).choices[0].text,
  'completions.create, n = 3, logprobs': async () =>
    (await openai.completions.create({ model, prompt: 'hello', n: 3, logprobs: 1 })).choices.length,
  'completions.create, stream': async () => streamed(await openai.completions.create({ model, prompt: 'hello', stream: true })),
  'chat.completions.create': async () => (await chat({})).choices[0].message.content,
  'chat.completions.create, image': async () =>
    (await chat({ messages: [{ role: 'user', content: [image] }] })).choices[0].message.content,
  'chat.completions.create, tools': async () => (await chat({ tools })).choices[0].message.content,
  'chat.completions.create, stream': async () => streamed(await chat({ stream: true })),
  'chat.completions.create, stream, reasoning': async () => streamed(await chat({ stream: true, reasoning_effort: 'low' })),
  'chat.completions.create, stream, include_usage': async () =>
    streamed(await chat({ stream: true, stream_options: { include_usage: true } })),
  'chat.completions.create, stream, cancelled': async () => {
    const stream = await chat({ stream: true, user: 'slow' });
    for await (const _ of stream) stream.controller.abort();
    return 'cancelled';
  },
  'embeddings.create': async () =>
    (await openai.embeddings.create({ model, input: 'hello', encoding_format: 'float' })).data.length,
  'responses.create': async () => (await openai.responses.create({ model, input: 'hello' })).output_text,
  'responses.create, stream': async () => {
    let text = '';
    for await (const event of await openai.responses.create({ model, input: 'hello', stream: true }))
      if (event.type === 'response.output_text.delta') text += event.delta;
    return text;
  },
  'responses.retrieve, cancel, previous_response_id': async () => {
    const { id } = await openai.responses.create({ model, input: 'hello' });
    const [got, cancelled] = [await openai.responses.retrieve(id), await openai.responses.cancel(id)];
    const next = await openai.responses.create({ model, input: 'more', previous_response_id: id });
    return `${got.id === id && cancelled.id === id} ${next.output_text}`;
  },
  'audio.transcriptions.create': async () => (await openai.audio.transcriptions.create({ model, file: sound() })).text,
  'audio.translations.create': async () => (await openai.audio.translations.create({ model, file: sound() })).text,
  'audio.speech.create': async () =>
    (await (await openai.audio.speech.create({ model, input: 'hello', voice: 'a' })).arrayBuffer()).byteLength,
  'models.list, retrieve': async () => `${(await openai.models.list()).data.length} ${(await openai.models.retrieve(model)).id}`,
  'messages.create': async () => (await anthropicMessage({})).content[0].text,
  'messages.create, beta, image, tools': async () => {
    const block = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } };
    const one = { model, max_tokens: 9, messages: [{ role: 'user', content: [block] }], betas: ['b'] };
    return (await anthropic.beta.messages.create({ ...one, tools: [{ name: 'f', input_schema: { type: 'object' } }] })).content[0]
      .text;
  },
  'messages.stream': async () => anthropic.messages.stream({ model, max_tokens: 9, messages }).finalText(),
  'messages.countTokens': async () => (await anthropic.messages.countTokens({ model, messages })).input_tokens,
};
if (name === '--list') console.log(JSON.stringify(Object.keys(calls)));
else console.log(String(await calls[name]()));
