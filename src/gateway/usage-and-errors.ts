import { isObject } from '../formats/json.ts';

/** What an answer told of its size. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Usage counts as OpenAI's completions have them, as its responses and Anthropic's messages do, or as those of a ranking, which
 * makes no tokens; null where there are none. What a cache held was part of the prompt all the same: Anthropic counts it beside
 * `input_tokens`, OpenAI within.
 */
export const usageOf = (value: unknown): Usage | null => {
  if (!isObject(value)) return null;
  const number = (name: string): number | null => {
    const found = value[name];
    return typeof found === 'number' ? found : null;
  };
  const [prompt, input, output] = [number('prompt_tokens'), number('input_tokens'), number('output_tokens')];
  if (prompt !== null) return { inputTokens: prompt, outputTokens: number('completion_tokens') ?? 0 };
  const cached = (number('cache_creation_input_tokens') ?? 0) + (number('cache_read_input_tokens') ?? 0);
  if (input !== null || output !== null) return { inputTokens: (input ?? 0) + cached, outputTokens: output ?? 0 };
  const total = number('total_tokens');
  return total === null ? null : { inputTokens: total, outputTokens: 0 };
};

/**
 * Whether an answer, or an event of one, tells of an error: `{"error": {...}}` as OpenAI's, `{"object": "error"}` as older
 * vLLM's, `{"type": "error"}` as Anthropic's, or a response that failed.
 */
export const tellsOfError = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  const { error, object, type } = value;
  return (
    (error !== undefined && error !== null && error !== false) ||
    object === 'error' ||
    type === 'error' ||
    type === 'response.failed' ||
    (object === 'response' && value['status'] === 'failed')
  );
};

/** The id of a response that its engine may keep, null where an answer is none. */
export const responseId = (value: unknown): string | null => {
  if (!isObject(value) || value['object'] !== 'response') return null;
  return typeof value['id'] === 'string' ? value['id'] : null;
};
