/** The calls that are passed on to engines: OpenAI's, Anthropic's messages, and those of vLLM that clients use beside them. */
export type ApiCall = keyof typeof apiCalls;

export interface CallFacts {
  readonly paths: readonly string[];
  /** Whether its work is tokens that can be known: only then it is counted in records, and routed by size. */
  readonly sized: boolean;
  /** Whether its answer is made token by token. */
  readonly makesTokens: boolean;
  /** How it streams: `chunks` end with `[DONE]` and take `stream_options`; `events` have a type, and their own last one. */
  readonly stream: 'chunks' | 'events' | null;
}

export const apiCalls = {
  completions: { paths: ['/v1/completions'], sized: true, makesTokens: true, stream: 'chunks' },
  chat: { paths: ['/v1/chat/completions'], sized: true, makesTokens: true, stream: 'chunks' },
  embeddings: { paths: ['/v1/embeddings'], sized: true, makesTokens: false, stream: null },
  responses: { paths: ['/v1/responses'], sized: true, makesTokens: true, stream: 'events' },
  messages: { paths: ['/v1/messages'], sized: true, makesTokens: true, stream: 'events' },
  rerank: { paths: ['/v1/rerank', '/v2/rerank', '/rerank'], sized: true, makesTokens: false, stream: null },
  score: { paths: ['/v1/score', '/score'], sized: true, makesTokens: false, stream: null },
  /** A sound: how many tokens it is only its engine knows. */
  transcription: {
    paths: ['/v1/audio/transcriptions', '/v1/audio/translations'],
    sized: false,
    makesTokens: true,
    stream: 'chunks',
  },
  speech: { paths: ['/v1/audio/speech'], sized: false, makesTokens: true, stream: null },
  /** Work of the engine's processor, not of its GPU. */
  tokenize: {
    paths: ['/tokenize', '/detokenize', '/v1/messages/count_tokens'],
    sized: false,
    makesTokens: false,
    stream: null,
  },
} as const satisfies Readonly<Record<string, CallFacts>>;

/** Every call by its path. */
export const callsByPath: ReadonlyMap<string, ApiCall> = new Map(
  Object.entries(apiCalls).flatMap(([call, { paths }]) => paths.map((path) => [path as string, call as ApiCall] as const)),
);
