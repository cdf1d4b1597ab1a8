import type { ServerResponse } from 'node:http';

/**
 * Every refusal of the gateway's own, by its stable code. The table of refusals in docs/reference.md is
 * generated from this list.
 */
export const refusalCodes = {
  bad_request: {
    status: 400,
    type: 'invalid_request_error',
    meaning: 'the request cannot be read, or names no model; 413 if its body is too large',
  },
  unsupported_encoding: {
    status: 415,
    type: 'invalid_request_error',
    meaning: 'the body is compressed; send it uncompressed',
  },
  not_found: { status: 404, type: 'invalid_request_error', meaning: 'no such path, or not with this method' },
  model_not_found: { status: 404, type: 'invalid_request_error', meaning: 'no Deployment serves this model' },
  too_many_requests: { status: 429, type: 'rate_limit_error', meaning: 'too many requests are in flight or waiting; try again' },
  not_ready: {
    status: 503,
    type: 'server_error',
    meaning: 'the model is at zero replicas and did not wake in time, or its pods cannot be reached; try again',
  },
  no_answer: { status: 502, type: 'server_error', meaning: 'the pods did not answer, or broke off' },
  refused: { status: null, type: null, meaning: 'no pod accepts the request; the status is that of the last pod, 429 or 5xx' },
  timeout: { status: 504, type: 'server_error', meaning: 'the request took longer than `--request-seconds`' },
} as const;

type RefusalCode = keyof typeof refusalCodes;

/** A refusal of the gateway's own, in the form of OpenAI's errors. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
  readonly code: RefusalCode;
  readonly message: string;
  /** Seconds after which to try again. */
  readonly retryAfter?: number;
}

const retryAfter = 5;

export const malformedRequest = (message: string): Refusal => refusal('bad_request', message);
export const compressed = (encoding: string): Refusal =>
  refusal('unsupported_encoding', `a body in ${encoding.slice(0, 50)} is not supported; send it uncompressed`);
export const notFound = (message: string): Refusal => refusal('not_found', message);
export const unknownModel = (model: string): Refusal =>
  refusal('model_not_found', `The model \`${model.slice(0, 200)}\` does not exist.`);
export const tooMany = (message: string): Refusal => ({ ...refusal('too_many_requests', message), retryAfter });
export const notReady = (message: string): Refusal => ({ ...refusal('not_ready', message), retryAfter });
export const noAnswer = (message: string): Refusal => refusal('no_answer', message);
/** What the last of the pods that were asked has answered, where no other is left. @param status 429 or 5xx */
export const refusedBy = (model: string, status: number): Refusal => ({
  status,
  type: status === 429 ? 'rate_limit_error' : 'server_error',
  code: 'refused',
  message: `no replica of ${model} takes the request; the last one answered ${status}`,
  retryAfter,
});
export const tooLong = (message: string): Refusal => refusal('timeout', message);

const refusal = (code: Exclude<RefusalCode, 'refused'>, message: string): Refusal => {
  const { status, type } = refusalCodes[code];
  return { status, type, code, message };
};

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
