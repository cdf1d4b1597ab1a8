import { exactJson, jsonObject } from '../formats/json.ts';
import { messageOf } from '../vocabulary/errors.ts';
import { type ApiCall, apiCalls } from './api-calls.ts';
import { noPrompt, type PromptSize, promptSize } from './prompt-size.ts';

/** What the gateway reads of a request. */
export interface GatewayRequest extends PromptSize {
  readonly call: ApiCall;
  readonly model: string;
  /** The body for the engine: the client's own, but that a stream is asked for its usage counts. */
  readonly body: string | Buffer;
  /** The client's own body where that is another: for engines that refuse to be asked for counts. */
  readonly ownBody: string | null;
  readonly stream: boolean;
  /** Whether the client itself asked for usage counts in the stream; where not, they are taken out again. */
  readonly usageAsked: boolean;
  /** `max_tokens`; null = the engine's own limit. */
  readonly mostOutputTokens: number | null;
  /** The response that it goes on from, which one pod has; null = none. */
  readonly previousResponse: string | null;
}

interface Body {
  readonly model?: unknown;
  readonly stream?: unknown;
  readonly stream_options?: { readonly include_usage?: unknown } | null;
  readonly max_tokens?: unknown;
  readonly max_completion_tokens?: unknown;
  readonly max_output_tokens?: unknown;
  readonly previous_response_id?: unknown;
}

/** @returns the request, or what is wrong with it in one line */
export const readRequest = (call: ApiCall, received: string): GatewayRequest | string => {
  // Some clients put a byte order mark first, which no engine reads.
  const text = received.startsWith('\uFEFF') ? received.slice(1) : received;
  const object = jsonObject(text);
  if (object === null) return 'the body is no JSON object';
  const body: Body = object;
  const { model, previous_response_id: previous } = body;
  if (typeof model !== 'string' || model === '') return 'model is missing';
  const stream = apiCalls[call].stream !== null && body.stream === true;
  const usageAsked = apiCalls[call].stream !== 'chunks' || body.stream_options?.include_usage === true;
  const most = body.max_completion_tokens ?? body.max_output_tokens ?? body.max_tokens;
  const asking = stream && !usageAsked;
  return {
    call,
    model,
    body: asking ? withUsage(text, body) : text,
    ownBody: asking ? text : null,
    stream,
    usageAsked,
    ...promptSize(call, object),
    mostOutputTokens: typeof most === 'number' && most >= 0 ? most : null,
    previousResponse: typeof previous === 'string' && previous !== '' ? previous : null,
  };
};

/**
 * A request whose body is a form: a sound, with the model beside it.
 * @param type the content type, with the boundary
 * @returns the request, or what is wrong with it in one line
 */
export const readForm = async (call: ApiCall, body: Buffer, type: string): Promise<GatewayRequest | string> => {
  let form: FormData;
  try {
    form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData();
  } catch (error) {
    return `the body is no form: ${messageOf(error)}`;
  }
  const [model, stream] = [form.get('model'), form.get('stream')];
  if (typeof model !== 'string' || model === '') return 'model is missing';
  const asked = { stream: stream === 'true', usageAsked: true, mostOutputTokens: null, previousResponse: null };
  return { call, model, body, ownBody: null, ...asked, ...noPrompt };
};

/**
 * Asks for usage counts. The field is put into the text as it is where it can be; else every number keeps its digits, also
 * those beyond a double's.
 */
const withUsage = (text: string, body: Body): string => {
  if (body.stream_options === undefined) {
    const end = text.lastIndexOf('}');
    return `${text.slice(0, end)},"stream_options":{"include_usage":true}}`;
  }
  const exact = exactJson(text) as Body;
  return JSON.stringify({ ...exact, stream_options: { ...exact.stream_options, include_usage: true } });
};
