import { jsonObject } from '../formats/json.ts';

/** What one event of an OpenAI stream says. */
export type Chunk =
  | { readonly kind: 'end' }
  | { readonly kind: 'error'; readonly message: string }
  | {
      readonly kind: 'part';
      /** Text or reasoning of a choice; null where the event has no choice. */
      readonly text: string | null;
      readonly finished: boolean;
      readonly usage: { readonly inputTokens: number; readonly outputTokens: number } | null;
    };

interface Part {
  readonly error?: { readonly message?: unknown } | string;
  readonly choices?: readonly {
    readonly text?: unknown;
    readonly finish_reason?: unknown;
    readonly delta?: { readonly content?: unknown; readonly reasoning_content?: unknown };
  }[];
  readonly usage?: { readonly prompt_tokens?: unknown; readonly completion_tokens?: unknown } | null;
}

/** The event's meaning, of completions and of chat. */
export const chunkOf = (data: string): Chunk => {
  if (data.trim() === '[DONE]') return { kind: 'end' };
  const part: Part | null = jsonObject(data);
  if (part === null) return { kind: 'error', message: `an event is no JSON object: ${data.slice(0, 60)}` };
  if (part.error !== undefined && part.error !== null) {
    const message = typeof part.error === 'object' ? part.error.message : part.error;
    return { kind: 'error', message: String(message) };
  }
  const choice = part.choices?.[0];
  const texts = [choice?.text, choice?.delta?.content, choice?.delta?.reasoning_content];
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = part.usage ?? {};
  return {
    kind: 'part',
    text: choice === undefined ? null : texts.filter((text) => typeof text === 'string').join(''),
    finished: typeof choice?.finish_reason === 'string',
    usage: typeof inputTokens === 'number' && typeof outputTokens === 'number' ? { inputTokens, outputTokens } : null,
  };
};
