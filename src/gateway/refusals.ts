import type { ServerResponse } from 'node:http';

/** A refusal of the gateway's own, in the form of OpenAI's errors. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly message: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
}

const retryAfterSeconds = 5;

export const malformedRequest = (message: string): Refusal => ({
  status: 400,
  type: 'invalid_request_error',
  code: 'bad_request',
  message,
});
export const unknownModel = (model: string): Refusal => ({
  status: 404,
  type: 'invalid_request_error',
  code: 'model_not_found',
  message: `The model \`${model.slice(0, 200)}\` does not exist.`,
});
export const tooMany = (message: string): Refusal => ({
  status: 429,
  type: 'rate_limit_error',
  code: 'too_many_requests',
  message,
  retryAfter: retryAfterSeconds,
});
export const notReady = (message: string): Refusal => ({
  status: 503,
  type: 'server_error',
  code: 'not_ready',
  message,
  retryAfter: retryAfterSeconds,
});
export const noAnswer = (message: string): Refusal => ({
  status: 502,
  type: 'server_error',
  code: 'no_answer',
  message,
});
/** What the last of the pods that were asked has answered, where no other is left. @param status 429 or 5xx */
export const refusedBy = (model: string, status: number): Refusal => ({
  status,
  type: status === 429 ? 'rate_limit_error' : 'server_error',
  code: 'refused',
  message: `no replica of ${model} takes the request; the last one answered ${status}`,
  retryAfter: retryAfterSeconds,
});
export const tooLong = (message: string): Refusal => ({
  status: 504,
  type: 'server_error',
  code: 'timeout',
  message,
});

export const refusalText = ({ type, code, message }: Refusal): string =>
  JSON.stringify({ error: { message, type, param: null, code } });

/** Answers with a refusal; where an answer has begun, it can only be broken off. */
export const refuse = (response: ServerResponse, refusal: Refusal): void => {
  if (response.destroyed) return;
  if (response.headersSent) return void response.destroy();
  const text = refusalText(refusal);
  response.setHeader('content-type', 'application/json');
  response.setHeader('content-length', Buffer.byteLength(text));
  if (refusal.retryAfter !== undefined) response.setHeader('retry-after', refusal.retryAfter);
  response.writeHead(refusal.status).end(text);
};
