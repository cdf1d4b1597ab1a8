import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { connectionOf, peerOf } from '../runtime/unused-connections.ts';
import { json } from './representation.ts';
import { StatusError } from './status.ts';

/** What keeps connections from using us up: how many, how slow, how idle. */
export interface ConnectionLimits {
  readonly connections: number;
  /** For the TLS handshake and the headers of a request; Go's servers give 32 s. */
  readonly headerMilliseconds: number;
  /** Longer than the 90 s of Go's clients: whoever closes an idle connection first must be the client. */
  readonly idleMilliseconds: number;
}
export const defaultConnectionLimits: ConnectionLimits = {
  connections: 1_000,
  headerMilliseconds: 32_000,
  idleMilliseconds: 120_000,
};

/**
 * Limits a server. Beyond the number of connections the one that has been silent longest is closed: the aggregator's is
 * never that.
 */
export const limitConnections = (server: HttpServer, limits: ConnectionLimits): void => {
  server.headersTimeout = limits.headerMilliseconds;
  server.keepAliveTimeout = limits.idleMilliseconds;
  server.requestTimeout = 60_000 + limits.headerMilliseconds;
  const open = new Map<string, Socket>(); // the longest silent first
  server.on('connection', (socket: Socket) => {
    const name = peerOf(socket);
    open.set(name, socket);
    socket.once('close', () => open.delete(name));
    if (open.size > limits.connections) open.values().next().value?.destroy();
  });
  server.on('request', (request: IncomingMessage) => {
    const name = peerOf(connectionOf(request));
    const connection = open.get(name);
    if (connection === undefined) return;
    open.delete(name);
    open.set(name, connection);
  });
  server.on('session', (session: Http2Session) => session.setTimeout(limits.idleMilliseconds, () => session.close()));
};

/** Answers what is not HTTP, too large or too slow, and hangs up. */
export const answerBrokenRequest = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = brokenStatuses[error.code ?? ''] ?? new StatusError(400, 'BadRequest', 'malformed HTTP request');
  const body = json(status.body(), false);
  const head = [
    `HTTP/1.1 ${status.code} ${status.reason}`,
    'Content-Type: application/json',
    'Cache-Control: no-cache, private',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
const brokenStatuses: Record<string, StatusError> = {
  HPE_HEADER_OVERFLOW: new StatusError(431, 'RequestHeaderFieldsTooLarge', 'request headers are too large'),
  ERR_HTTP_REQUEST_TIMEOUT: new StatusError(408, 'Timeout', 'the request did not arrive in time'),
};
