import { jsonObject } from '../formats/json.ts';

/** The OpenAI calls that are passed on. */
export type ApiCall = 'completions' | 'chat' | 'embeddings';

/** What a prompt may hold beside text; `other` is a video or a file. */
export const mediaKinds = ['image', 'audio', 'other'] as const;
export type MediaKind = (typeof mediaKinds)[number];

/** What there is of a prompt before it is tokens. */
export interface PromptSize {
  /** Characters of its text. */
  readonly characters: number;
  /** Tokens, where it is given as tokens. */
  readonly tokens: number;
  /** Images, sounds and others. */
  readonly parts: Readonly<Record<MediaKind, number>>;
}

/** What the gateway reads of a request. */
export interface GatewayRequest extends PromptSize {
  readonly call: ApiCall;
  readonly model: string;
  /** The body for the engine: the client's own, but that a stream is asked for its usage counts. */
  readonly body: string;
  readonly stream: boolean;
  /** Whether the client itself asked for usage counts in the stream; where not, they are taken out again. */
  readonly usageAsked: boolean;
  /** `max_tokens`; null = the engine's own limit. */
  readonly mostOutputTokens: number | null;
}

interface Body {
  readonly model?: unknown;
  readonly prompt?: unknown;
  readonly input?: unknown;
  readonly messages?: unknown;
  readonly tools?: unknown;
  readonly stream?: unknown;
  readonly stream_options?: { readonly include_usage?: unknown } | null;
  readonly max_tokens?: unknown;
  readonly max_completion_tokens?: unknown;
}

/** @returns the request, or what is wrong with it in one line */
export const readRequest = (call: ApiCall, text: string): GatewayRequest | string => {
  const body: Body | null = jsonObject(text);
  if (body === null) return 'the body is no JSON object';
  const { model } = body;
  if (typeof model !== 'string' || model === '') return 'model is missing';
  const stream = call !== 'embeddings' && body.stream === true;
  const usageAsked = body.stream_options?.include_usage === true;
  const most = body.max_completion_tokens ?? body.max_tokens;
  return {
    call,
    model,
    body: stream && !usageAsked ? withUsage(text, body) : text,
    stream,
    usageAsked,
    ...promptSize(call, body),
    mostOutputTokens: typeof most === 'number' && most >= 0 ? most : null,
  };
};

/**
 * Asks for usage counts. The field is put into the text as it is where it can be, so that numbers beyond a double's keep
 * their digits.
 */
const withUsage = (text: string, body: Body): string => {
  if (body.stream_options === undefined || body.stream_options === null) {
    const end = text.lastIndexOf('}');
    return `${text.slice(0, end)},"stream_options":{"include_usage":true}}`;
  }
  return JSON.stringify({ ...body, stream_options: { ...body.stream_options, include_usage: true } });
};

const promptSize = (call: ApiCall, body: Body): PromptSize => {
  const counted = { characters: 0, tokens: 0, parts: { image: 0, audio: 0, other: 0 } };
  if (call === 'chat') {
    count(body.messages, counted);
    if (Array.isArray(body.tools)) counted.characters += JSON.stringify(body.tools).length;
  } else count(call === 'embeddings' ? body.input : body.prompt, counted);
  return counted;
};

/** Texts are characters, bare numbers tokens; of a message its content counts, of a part of it the text, or that it is there. */
const count = (value: unknown, counted: { characters: number; tokens: number; parts: Record<MediaKind, number> }): void => {
  if (typeof value === 'string') counted.characters += value.length;
  else if (typeof value === 'number') counted.tokens += 1;
  else if (Array.isArray(value)) for (const one of value) count(one, counted);
  else if (typeof value === 'object' && value !== null) {
    const { content, text, type } = value as { content?: unknown; text?: unknown; type?: unknown };
    const inside = content ?? text;
    if (inside !== undefined && inside !== null) count(inside, counted);
    else if (typeof type === 'string') counted.parts[kindOf(type)] += 1;
  }
};

/** `image_url`, `input_audio`, `video_url` ... */
const kindOf = (type: string): MediaKind => (type.includes('image') ? 'image' : type.includes('audio') ? 'audio' : 'other');
