import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { eventReader } from '../formats/sse.ts';
import { messageOf } from '../vocabulary/errors.ts';
import { chunkOf } from './answer-chunk.ts';
import type { Answer, Endpoint } from './endpoint.ts';

export type Api = 'completions' | 'chat';

export interface HttpEndpointOptions {
  /** Ends in /v1. */
  readonly url: string;
  readonly api: Api;
  readonly model: string;
  readonly apiKey: string | null;
  readonly temperature: number;
  /** Whether the endpoint takes `ignore_eos` and `min_tokens`, by which answers get their exact length. */
  readonly exactLength: boolean;
  /** Longest silence (s). */
  readonly timeoutSeconds: number;
}

type Failed = Extract<Answer, { kind: 'failed' }>;

/** An OpenAI server, streamed. @param now the clock (s) that answers are timed by */
export const httpEndpoint = (options: HttpEndpointOptions, now: () => number): Endpoint & { close(): void } => {
  const secure = options.url.startsWith('https:');
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true });
  const address = `${options.url}/${options.api === 'chat' ? 'chat/completions' : 'completions'}`;
  const headers = {
    'content-type': 'application/json',
    accept: 'text/event-stream',
    ...(options.apiKey === null ? {} : { authorization: `Bearer ${options.apiKey}` }),
  };
  const post = (body: string, take: (response: IncomingMessage) => void): ClientRequest => {
    const sending = (secure ? httpsRequest : httpRequest)(address, { method: 'POST', agent, headers }, take);
    // Small writes go out at once, so that the time of sending is the time of sending.
    sending.setNoDelay(true);
    sending.end(body);
    return sending;
  };

  return {
    ask: (prompt, outputTokens, signal, onFirstToken) =>
      new Promise((resolve) => {
        const body = bodyOf(prompt, outputTokens, options);
        const sentAt = now();
        let current: ClientRequest | null = null;
        let ended = false;
        const end = (answer: Answer): void => {
          if (ended) return;
          ended = true;
          signal.removeEventListener('abort', abort);
          resolve(answer);
          if (answer.kind === 'failed') current?.destroy();
        };
        const fail = (cause: Failed['cause'], message: string): void => end({ kind: 'failed', cause, message });
        const abort = (): void => fail('aborted', 'given up');
        signal.addEventListener('abort', abort);
        const send = (again: boolean): void => {
          let answered = false;
          const sending = post(body, (response) => {
            answered = true;
            readAnswer(response, { sentAt, now, onFirstToken, end, fail });
          });
          current = sending;
          sending.setTimeout(options.timeoutSeconds * 1000, () => fail('timeout', `no word within ${options.timeoutSeconds} s`));
          sending.on('error', (error: NodeJS.ErrnoException) => {
            // A connection that was kept for us may be closed just as we use it, and llama.cpp resets some that are new.
            if (again && !answered && error.code === 'ECONNRESET' && !ended) send(false);
            else fail('broken', messageOf(error));
          });
        };
        send(true);
      }),
    close: () => agent.destroy(),
  };
};

const bodyOf = (prompt: string, outputTokens: number, { api, model, temperature, exactLength }: HttpEndpointOptions): string =>
  JSON.stringify({
    model,
    ...(api === 'chat' ? { messages: [{ role: 'user', content: prompt }] } : { prompt }),
    max_tokens: outputTokens,
    ...(exactLength ? { min_tokens: outputTokens, ignore_eos: true } : {}),
    temperature,
    stream: true,
    stream_options: { include_usage: true },
  });

interface Reading {
  readonly sentAt: number;
  readonly now: () => number;
  readonly onFirstToken: () => void;
  readonly end: (answer: Answer) => void;
  readonly fail: (cause: Failed['cause'], message: string) => void;
}

const readAnswer = (response: IncomingMessage, reading: Reading): void => {
  response.on('error', () => reading.fail('broken', 'the connection was dropped mid-stream'));
  if (response.statusCode === 200) readStream(response, reading);
  else readRefusal(response, reading);
};

const readStream = (response: IncomingMessage, { sentAt, now, onFirstToken, end, fail }: Reading): void => {
  const { 'content-type': type = 'no type' } = response.headers;
  if (!type.startsWith('text/event-stream')) fail('broken', `answers with ${type}, not with a stream of events`);
  /** Of the first and last token; some tokens have no text, and count where none has. */
  let first: number | null = null;
  let last: number | null = null;
  let firstSilent: number | null = null;
  let usage: Extract<Answer, { kind: 'served' }>['usage'] = null;
  let whole = false;
  const read = eventReader((data) => {
    const chunk = chunkOf(data);
    if (chunk.kind === 'error') return fail('broken', chunk.message);
    if (chunk.kind === 'end') {
      whole = true;
      return;
    }
    usage = chunk.usage ?? usage;
    whole ||= chunk.finished;
    if (chunk.text === null) return;
    last = now();
    firstSilent ??= last;
    if (chunk.text === '' || first !== null) return;
    first = last;
    onFirstToken();
  });
  response.on('data', read);
  response.on('end', () => {
    const firstTokenAt = first ?? firstSilent;
    if (!whole) fail('broken', 'the stream ended before the answer did');
    else if (firstTokenAt === null || last === null) fail('broken', 'the answer has no token');
    else end({ kind: 'served', sentAt, firstTokenAt, doneAt: last, usage });
  });
};

/** Long enough for what an engine says, and no page of HTML. */
const longestRefusal = 200;

const readRefusal = (response: IncomingMessage, { fail }: Reading): void => {
  const status = response.statusCode ?? 0;
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (piece: string) => {
    if (text.length < 10_000) text += piece;
  });
  response.on('end', () => {
    const said = refusalText(text).replaceAll(/\s+/g, ' ').slice(0, longestRefusal).trim();
    const message = `${status} ${response.statusMessage ?? ''}${said === '' ? '' : `: ${said}`}`;
    fail(status === 429 || status === 503 ? 'busy' : 'broken', message);
  });
};

/** `error.message` of an OpenAI error, `message` of an older vLLM's, else the text itself. */
const refusalText = (text: string): string => {
  try {
    const { error, message } = JSON.parse(text) as { error?: { message?: unknown } | string; message?: unknown };
    return String((typeof error === 'object' ? error.message : error) ?? message ?? text);
  } catch {
    return text;
  }
};
