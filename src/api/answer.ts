import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { messageOf } from '../vocabulary/errors.ts';
import { plain } from './health-endpoints.ts';
import type { RequestLog } from './log.ts';
import { type MediaType, negotiated, prettyByDefault } from './negotiation.ts';
import { json, represented } from './representation.ts';
import { PlainError, StatusError } from './status.ts';

/** Sends an API object in what the caller accepts. Throws a 406 where nothing fits. */
export const send = (
  request: FastifyRequest,
  reply: FastifyReply,
  object: object,
  { code = 200, offered }: { readonly code?: number; readonly offered?: readonly MediaType[] } = {},
) => {
  const { accept, 'user-agent': userAgent } = request.headers;
  const { mediaType, pretty } = negotiated(accept, offered);
  const indented = pretty || prettyByDefault(request.info.query, userAgent);
  const bytes = represented(object, mediaType, indented);
  if (bytes.length <= largestPlain || !takesGzip(request.headers['accept-encoding'])) {
    return sendBytes(reply, code, mediaType, bytes);
  }
  reply.header('content-encoding', 'gzip').header('vary', 'Accept-Encoding');
  return gzipped(bytes, { level: 1 }).then((small) => void sendBytes(reply, code, mediaType, small));
};
/** Only where it is named without parameters, as Go has it. */
const takesGzip = (encodings: string | string[] | undefined): boolean =>
  String(encodings ?? '')
    .split(',')
    .some((encoding) => encoding.trim() === 'gzip');
const gzipped = promisify(gzip);
const largestPlain = 128 * 1024;

/** Bytes, not text: Fastify would add a charset to the type of a text. */
export const sendBytes = (reply: FastifyReply, code: number, contentType: string, bytes: Buffer) =>
  reply.code(code).header('content-type', contentType).send(bytes);

/** Turns whatever was thrown into what the caller is told. Only what we did not expect is logged, and never shown. */
export const sendError = (request: FastifyRequest, reply: FastifyReply, error: unknown, log: RequestLog) => {
  if (error instanceof PlainError) return plain(reply.headers(error.headers), error.code, error.message);
  const status = error instanceof StatusError ? error : statusOf(error);
  if (!(error instanceof StatusError) && status.code >= 500) {
    log.error({ path: request.info?.path, problem: messageOf(error) }, 'request failed');
  }
  if (status.code === 403) reply.header('x-content-type-options', 'nosniff');
  try {
    return send(request, reply, status.body(), { code: status.code });
  } catch {
    // the caller accepts nothing that we write: he gets to know why it failed all the same
    return sendBytes(reply, status.code, 'application/json', Buffer.from(json(status.body(), true)));
  }
};

/** Fastify's own refusals (a broken URL, say) carry a code below 500; anything else is ours and stays inside. */
const statusOf = (error: unknown): StatusError => {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new StatusError(statusCode, 'BadRequest', messageOf(error));
  }
  return new StatusError(500, 'InternalError', 'Internal error occurred', { causes: [{ message: 'see the log' }] });
};
