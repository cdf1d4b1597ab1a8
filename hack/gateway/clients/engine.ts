import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const usage = { prompt_tokens: 100, completion_tokens: 7, total_tokens: 107 };
const counts = { input_tokens: 100, output_tokens: 7 };
const responseOf = (id: string) => ({
  ...{ id, object: 'response', status: 'completed', model: 'm', error: null, usage: { ...counts, total_tokens: 107 } },
  output: [
    {
      type: 'message',
      id: 'msg',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text: 'hello', annotations: [] }],
    },
  ],
});
const message = {
  id: 'msg',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [{ type: 'text', text: 'hello' }],
  stop_reason: 'end_turn',
};

/** Answers of an engine that has every call, in the forms that vLLM, OpenAI and Anthropic write. */
export const answerAsEngine = async (response: ServerResponse, body: string, request: IncomingMessage): Promise<void> => {
  const path = (request.url ?? '').split('?')[0]!;
  const asked = body.startsWith('{') ? (JSON.parse(body) as Record<string, unknown>) : {};
  const json = (value: object, status = 200): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const events = async (all: readonly (readonly [string | null, object | string])[]): Promise<void> => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const [name, data] of all) {
      response.write(
        `${name === null ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
      );
      if (asked['user'] === 'slow') await sleep(200);
    }
    response.end();
  };
  const id = `resp_${request.socket.localPort}`;
  if (path === '/v1/responses' && asked['stream'] !== true) return json(responseOf(id));
  if (path.startsWith('/v1/responses/')) {
    const isHere = path.includes(id);
    return json(isHere ? responseOf(id) : { error: { message: 'no such response' } }, isHere ? 200 : 404);
  }
  if (asked['stream'] === true) return await events(streamOf(path, asked, id));
  if (path === '/v1/audio/speech') return void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(Buffer.alloc(64));
  return json(answerOf(path, asked));
};

const answerOf = (path: string, asked: Readonly<Record<string, unknown>>): object => {
  const choices = Array.from({ length: Number(asked['n'] ?? 1) }, (_, index) => ({ index, finish_reason: 'stop' }));
  switch (path) {
    case '/v1/completions':
      return { choices: choices.map((one) => ({ ...one, text: 'hello' })), usage };
    case '/v1/chat/completions':
      return { choices: choices.map((one) => ({ ...one, message: { role: 'assistant', content: 'hello' } })), usage };
    case '/v1/embeddings':
      return {
        object: 'list',
        data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
        usage: { prompt_tokens: 100, total_tokens: 100 },
      };
    case '/v1/messages':
      return { ...message, usage: counts };
    case '/v1/messages/count_tokens':
      return { input_tokens: 100 };
    case '/v1/rerank':
      return { results: [{ index: 0, relevance_score: 1 }], usage: { total_tokens: 100 } };
    case '/v1/score':
      return { data: [{ index: 0, score: 1 }], usage: { prompt_tokens: 100, total_tokens: 100 } };
    case '/tokenize':
      return { count: 1, tokens: [1] };
    default:
      return { text: 'hello' };
  }
};

const streamOf = (
  path: string,
  asked: Readonly<Record<string, unknown>>,
  id: string,
): readonly (readonly [string | null, object | string])[] => {
  if (path === '/v1/responses') {
    const typed = (type: string, more: object) => [type, { type, sequence_number: 0, ...more }] as const;
    return [
      typed('response.created', { response: { ...responseOf(id), status: 'in_progress', output: [], usage: null } }),
      ...['hel', 'lo'].map((delta) =>
        typed('response.output_text.delta', { delta, item_id: 'msg', output_index: 0, content_index: 0 }),
      ),
      typed('response.completed', { response: responseOf(id) }),
    ];
  }
  if (path === '/v1/messages') {
    const typed = (type: string, more: object) => [type, { type, ...more }] as const;
    return [
      typed('message_start', { message: { ...message, content: [], usage: { input_tokens: 100, output_tokens: 1 } } }),
      typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      ...['hel', 'lo'].map((text) => typed('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
      typed('content_block_stop', { index: 0 }),
      typed('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } }),
      typed('message_stop', {}),
    ];
  }
  const field = asked['reasoning_effort'] === undefined ? 'content' : 'reasoning';
  const chunk = (text: string) => ({
    choices: [path === '/v1/completions' ? { index: 0, text } : { index: 0, delta: { [field]: text } }],
  });
  const wantsCounts = (asked['stream_options'] as { include_usage?: boolean } | undefined)?.include_usage === true;
  return [
    [null, chunk('hel')],
    [null, chunk('lo')],
    ...(wantsCounts ? [[null, { choices: [], usage }] as const] : []),
    [null, '[DONE]'],
  ];
};
