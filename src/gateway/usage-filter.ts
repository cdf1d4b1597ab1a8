import { exactJson, isObject, jsonObject } from '../formats/json.ts';
import { eventData, eventEnd } from '../formats/sse.ts';
import { tellsOfError, type Usage, usageOf } from './usage-and-errors.ts';

/** One stream of server-sent events on its way through. */
export interface UsageFilter {
  /** What of this piece, and of what was held back before it, goes on to the client. */
  take(piece: Buffer): Buffer;
  /** What was held back when the stream ended. */
  rest(): Buffer;
  usage(): Usage | null;
  /** Events with text or a tool's arguments so far: about as many tokens. */
  contentEvents(): number;
  /** Whether the answer has come to its end: `[DONE]`, or the last of its typed events, was seen. */
  done(): boolean;
  /** Whether an event has told of an error. */
  failed(): boolean;
}

/** An event longer than this is passed on as it comes, unread. */
const longestEvent = 1 << 20;
const nothing = Buffer.alloc(0);

/**
 * Passes whole events on, the end of a piece that is none with the next one. Usage counts that the client did not ask for are
 * taken out: an event that carries nothing else, and the field where there is more beside it.
 * @param strip whether the client did not ask for them
 * @param onResponse called with each event that carries a response, until one has an id
 */
export const usageFilter = (strip: boolean, onResponse: (id: string) => void = () => {}): UsageFilter => {
  let held: Buffer = nothing;
  let usage: Usage | null = null;
  let [contentEvents, done, failed, idKnown] = [0, false, false, false];

  /** Looks at one event; what of it goes on. */
  const look = (event: Buffer): Buffer => {
    const text = event.toString('latin1');
    if (text.startsWith('data: [DONE]') || text.startsWith('data:[DONE]')) {
      done = true;
      return event;
    }
    // Most events are chunks, which have none.
    const isTyped = text.includes('"type"');
    done ||= isTyped && lastEvent.test(text);
    if (/"error"|^event: ?error|"response\.failed"/m.test(text))
      failed ||= /^event: ?error/m.test(text) || tellsOfError(chunkIn(event));
    if (isTyped && !idKnown && text.includes('"response"')) tellId(event);
    if (carriesContent(text)) contentEvents += 1;
    if (!/"usage"\s*:\s*\{/.test(text)) return event;
    const chunk = chunkIn(event);
    usage = later(usage, usageOf(chunk?.usage ?? inside(chunk?.response) ?? inside(chunk?.message)));
    if (!strip || !isObject(chunk?.usage)) return event;
    return isBare(chunk) ? nothing : withoutUsage(event);
  };
  const tellId = (event: Buffer): void => {
    const response = chunkIn(event)?.response;
    if (!isObject(response) || typeof response['id'] !== 'string') return;
    idKnown = true;
    onResponse(response['id']);
  };

  return {
    take: (piece) => {
      const unread = held.length === 0 ? piece : Buffer.concat([held, piece]);
      const kept: Buffer[] = [];
      let [start, passFrom] = [0, 0];
      for (let end = eventEnd(unread, start); end !== -1; end = eventEnd(unread, start)) {
        const event = unread.subarray(start, end);
        const passed = look(event);
        if (passed !== event) {
          if (start > passFrom) kept.push(unread.subarray(passFrom, start));
          if (passed.length > 0) kept.push(passed);
          passFrom = end;
        }
        start = end;
      }
      if (unread.length - start > longestEvent) start = unread.length;
      if (start > passFrom) kept.push(unread.subarray(passFrom, start));
      held = start === unread.length ? nothing : Buffer.from(unread.subarray(start));
      return kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    },
    rest: () => {
      const last = held;
      held = nothing;
      return last.length > 0 ? look(last) : nothing;
    },
    usage: () => usage,
    contentEvents: () => contentEvents,
    done: () => done,
    failed: () => failed,
  };
};

/** With which answers end whose events have types: Anthropic's messages, OpenAI's responses and transcriptions. */
const lastEvent = /"type"\s*:\s*"(?:message_stop|response\.(?:completed|incomplete|failed|cancelled)|transcript\.text\.done)"/;

const carriesContent = (text: string): boolean =>
  /"(?:content|text|refusal|reasoning|reasoning_content|arguments|delta|thinking|partial_json)"\s*:\s*"(?!")/.test(text);

interface Chunk {
  readonly choices?: unknown;
  readonly usage?: unknown;
  readonly response?: unknown;
  readonly message?: unknown;
}

const chunkIn = (event: Buffer): Chunk | null => jsonObject(eventData(event.toString()) ?? '');

const inside = (carrier: unknown): unknown => (isObject(carrier) ? carrier['usage'] : undefined);

/** Nothing but counts: no choice, or one that says nothing. */
const isBare = ({ choices }: Chunk): boolean =>
  choices === undefined || choices === null || (Array.isArray(choices) && choices.length === 0);

/** Of counts that come in several events each number is the last one that was told. */
const later = (before: Usage | null, now: Usage | null): Usage | null =>
  before === null || now === null
    ? (now ?? before)
    : { inputTokens: now.inputTokens || before.inputTokens, outputTokens: now.outputTokens || before.outputTokens };

/** The same event without its counts; its other lines, and the digits of its numbers, stay. */
const withoutUsage = (event: Buffer): Buffer => {
  const text = event.toString();
  const data = eventData(text)!;
  const { usage: _, ...rest } = exactJson(data) as Record<string, unknown>;
  const end = text.includes('\r\n') ? '\r\n' : '\n';
  const otherLines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('data:'));
  return Buffer.from([...otherLines, `data: ${JSON.stringify(rest)}`, '', ''].join(end));
};
