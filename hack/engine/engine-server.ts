import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createEngine, type Engine, type EngineRequest, type EngineSpeed } from '../../src/simulation/engine.ts';
import { tokensOf } from './tokens.ts';

export interface EngineServerOptions {
  readonly speed: EngineSpeed;
  readonly model: string;
  readonly host: string;
  /** 0 = any free one. */
  readonly port: number;
  /** Asked for as a bearer token; null = none is. */
  readonly apiKey: string | null;
}

export interface EngineServer {
  readonly url: string;
  readonly requests: () => number;
  close(): Promise<void>;
}

interface Request extends EngineRequest {
  readonly tell: (kind: 'firstToken' | 'token' | 'done') => void;
}

interface Body {
  readonly model?: string;
  readonly prompt?: string;
  readonly messages?: readonly { readonly content: string }[];
  readonly max_tokens?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

/** Tokens that the chat template adds to a message. */
const templateTokens = 5;

/**
 * The engine model of `gpumix simulate` as an OpenAI server: completions and chat, streamed or whole, one event a token,
 * usage counts, and the metrics that vLLM has. Its time is the wall's; a faster engine is one with a faster speed.
 */
export const startEngineServer = async (options: EngineServerOptions): Promise<EngineServer> => {
  const engine = engineByTheClock(options.speed);
  let served = 0;

  const complete = async (request: IncomingMessage, response: ServerResponse, chat: boolean): Promise<void> => {
    const body = JSON.parse(await textOf(request)) as Body;
    if (body.model !== options.model) return refuse(response, 404, `The model \`${body.model}\` does not exist.`);
    const prompt = chat ? (body.messages ?? []).map(({ content }) => content).join('\n') : (body.prompt ?? '');
    const inputTokens = tokensOf(prompt) + (chat ? templateTokens : 0);
    const outputTokens = body.max_tokens ?? 16;
    if (inputTokens + outputTokens > options.speed.cacheTokens)
      return refuse(response, 400, `${inputTokens} + ${outputTokens} tokens are more than the cache holds`);
    const answer = body.stream === true ? streamed(response, chat, body) : whole(response, chat, body);
    const usage = {
      prompt_tokens: inputTokens,
      completion_tokens: outputTokens,
      total_tokens: inputTokens + outputTokens,
    };
    const leave = engine.submit({
      inputTokens,
      outputTokens,
      tell: (kind) => {
        if (kind !== 'done') return answer.token();
        served += 1;
        answer.end(usage);
      },
    });
    response.on('close', leave);
  };

  const server = createServer((request, response) => {
    if (request.url === '/health') return void response.end('ok\n');
    if (request.url === '/metrics') return void response.end(metrics(engine.running(), engine.waiting(), served));
    if (options.apiKey !== null && request.headers.authorization !== `Bearer ${options.apiKey}`)
      return refuse(response, 401, 'invalid API key');
    if (request.url === '/v1/models') return json(response, { object: 'list', data: [{ id: options.model }] });
    const chat = request.url === '/v1/chat/completions';
    if (request.method !== 'POST' || !(chat || request.url === '/v1/completions')) return refuse(response, 404, 'not found');
    complete(request, response, chat).catch((error: Error) => refuse(response, 400, error.message));
  });
  await new Promise<void>((listening) => server.listen(options.port, options.host, listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${options.host}:${port}`,
    requests: () => served,
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await engine.stop();
    },
  };
};

/** An engine that is moved on whenever something is due in it. Nobody's requests are worked on for nobody. */
const engineByTheClock = (speed: EngineSpeed) => {
  const now = (): number => performance.now() / 1000;
  const present = new Set<Request>();
  const create = (): Engine<Request> =>
    createEngine<Request>(
      speed,
      (kind, request) => {
        if (present.has(request)) request.tell(kind);
        if (kind === 'done') present.delete(request);
      },
      { everyToken: true },
    );
  let engine = create();
  let wake = new AbortController();
  let stopped = false;
  const turn = async (): Promise<void> => {
    while (!stopped) {
      engine.advance(now());
      const wait = Math.min(1e6, 1000 * Math.max(0, engine.nextEventAt() - now()));
      await sleep(wait, undefined, { signal: wake.signal }).catch(() => {
        wake = new AbortController();
      });
    }
  };
  const turning = turn();
  return {
    running: () => engine.running(),
    waiting: () => engine.waiting(),
    submit: (request: Request): (() => void) => {
      present.add(request);
      const time = now();
      engine.advance(time);
      engine.submit(request, time);
      wake.abort();
      return () => {
        // With its last reader gone an engine has nothing to do any more.
        if (present.delete(request) && present.size === 0) engine = create();
      };
    },
    stop: async () => {
      stopped = true;
      wake.abort();
      await turning;
    },
  };
};

interface AnswerWriter {
  token(): void;
  end(usage: Readonly<Record<string, number>>): void;
}

const choice = (chat: boolean, text: string, finish: string | null, stream: boolean) => ({
  index: 0,
  ...(chat ? { [stream ? 'delta' : 'message']: { role: 'assistant', content: text } } : { text }),
  finish_reason: finish,
});
const kindOf = (chat: boolean, stream: boolean): string =>
  chat ? `chat.completion${stream ? '.chunk' : ''}` : 'text_completion';

const streamed = (response: ServerResponse, chat: boolean, { model, stream_options: about }: Body): AnswerWriter => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const event = (fields: object): void =>
    void response.write(`data: ${JSON.stringify({ object: kindOf(chat, true), model, ...fields })}\n\n`);
  return {
    token: () => event({ choices: [choice(chat, ' word', null, true)] }),
    end: (usage) => {
      event({ choices: [choice(chat, '', 'length', true)] });
      if (about?.include_usage === true) event({ choices: [], usage });
      response.end('data: [DONE]\n\n');
    },
  };
};

const whole = (response: ServerResponse, chat: boolean, { model }: Body): AnswerWriter => {
  let text = '';
  return {
    token: () => {
      text += ' word';
    },
    end: (usage) => json(response, { object: kindOf(chat, false), model, choices: [choice(chat, text, 'length', false)], usage }),
  };
};

const textOf = async (request: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
};
const json = (response: ServerResponse, body: object, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const refuse = (response: ServerResponse, status: number, message: string): void =>
  json(response, { error: { message, code: status } }, status);
const metrics = (running: number, waiting: number, served: number): string =>
  [
    `vllm:num_requests_running ${running}`,
    `vllm:num_requests_waiting ${waiting}`,
    `vllm:request_success_total ${served}`,
    '',
  ].join('\n');
