import { isObject, jsonObject } from '../formats/json.ts';
import { eventData, eventEnd } from '../formats/sse.ts';

/** What an answer told of its size. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** One stream of server-sent events on its way through. */
export interface UsageFilter {
  /** What of this piece, and of what was held back before it, goes on to the client. */
  take(piece: Buffer): Buffer;
  /** What was held back when the stream ended. */
  rest(): Buffer;
  usage(): Usage | null;
  /** Events with text or a tool's arguments so far: about as many tokens. */
  contentEvents(): number;
  /** Whether the answer has come to its end: `[DONE]` was seen. */
  done(): boolean;
  /** Whether an event has told of an error. */
  failed(): boolean;
}

/** An event longer than this is passed on as it comes, unread. */
const longestEvent = 1 << 20;
const nothing = Buffer.alloc(0);

/**
 * Passes whole events on, the end of a piece that is none with the next one. An event that carries nothing but the usage
 * counts that the gateway asked for is taken out.
 * @param strip whether the client did not ask for them
 */
export const usageFilter = (strip: boolean): UsageFilter => {
  let held: Buffer = nothing;
  let usage: Usage | null = null;
  let [contentEvents, done, failed] = [0, false, false];

  /** Looks at one event; whether it goes on. */
  const look = (event: Buffer): boolean => {
    const text = event.toString('latin1');
    if (text.startsWith('data: [DONE]') || text.startsWith('data:[DONE]')) {
      done = true;
      return true;
    }
    if (/"error"|^event: ?error/m.test(text)) failed ||= /^event: ?error/m.test(text) || tellsOfError(chunkIn(event));
    const counts = /"usage"\s*:\s*\{/.test(text);
    if (!counts) {
      if (carriesContent(text)) contentEvents += 1;
      return true;
    }
    const chunk = chunkIn(event);
    usage = usageOf(chunk?.usage) ?? usage;
    const bare = Array.isArray(chunk?.choices) && chunk.choices.length === 0;
    if (!bare && carriesContent(text)) contentEvents += 1;
    return !(bare && strip);
  };

  return {
    take: (piece) => {
      const all = held.length === 0 ? piece : Buffer.concat([held, piece]);
      const kept: Buffer[] = [];
      let [start, passFrom] = [0, 0];
      for (let end = eventEnd(all, start); end !== -1; end = eventEnd(all, start)) {
        if (!look(all.subarray(start, end))) {
          if (start > passFrom) kept.push(all.subarray(passFrom, start));
          passFrom = end;
        }
        start = end;
      }
      if (all.length - start > longestEvent) start = all.length;
      if (start > passFrom) kept.push(all.subarray(passFrom, start));
      held = start === all.length ? nothing : Buffer.from(all.subarray(start));
      return kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    },
    rest: () => {
      const last = held;
      held = nothing;
      return last.length > 0 && look(last) ? last : nothing;
    },
    usage: () => usage,
    contentEvents: () => contentEvents,
    done: () => done,
    failed: () => failed,
  };
};

const carriesContent = (text: string): boolean => /"(?:content|text|reasoning_content|arguments)"\s*:\s*"(?!")/.test(text);

interface Chunk {
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly error?: unknown;
  readonly object?: unknown;
}

/**
 * Whether an answer, or an event of one, tells of an error: `{"error": {...}}` as OpenAI's, `{"object": "error"}` as older
 * vLLM's.
 */
export const tellsOfError = (value: unknown): boolean => {
  if (!isObject(value)) return false;
  const { error, object }: Chunk = value;
  return (error !== undefined && error !== null && error !== false) || object === 'error';
};

const chunkIn = (event: Buffer): Chunk | null => jsonObject(eventData(event.toString()) ?? '');

/** Usage counts as OpenAI, or null where there are none. */
export const usageOf = (value: unknown): Usage | null => {
  if (!isObject(value)) return null;
  const { prompt_tokens: inputTokens, completion_tokens: outputTokens } = value;
  if (typeof inputTokens !== 'number') return null;
  return { inputTokens, outputTokens: typeof outputTokens === 'number' ? outputTokens : 0 };
};
