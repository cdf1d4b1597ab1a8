import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate, User } from './authentication.ts';
import { type Authorize, isMaster } from './authorization.ts';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';
import { deadlineMilliseconds } from './list-options.ts';
import { type RequestInfo, requestInfo } from './request-info.ts';
import { methodNotAllowed, timedOut, tooManyRequests } from './status.ts';

declare module 'fastify' {
  interface FastifyRequest {
    info: RequestInfo;
    /** Whether it counts against the limit of requests in flight. */
    counted: boolean;
  }
}

/** Who asks, and may he. */
export interface Access {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  /** Whether nothing behind authentication may see the header of this name. */
  readonly isCredentialHeader: (name: string) => boolean;
}

const mostInFlight = 400;

/**
 * What every request passes before its handler, in the order of the generic API server. Null access: everybody may.
 * Answers how many requests are in flight.
 */
export const addAccess = (app: FastifyInstance, access: Access | null): (() => number) => {
  let inFlight = 0;
  app.decorateRequest('info', null as unknown as RequestInfo);
  app.decorateRequest('counted', false);
  app.addHook('onRequest', async (request, reply) => {
    addCommonHeaders(request, reply);
    request.info = requestInfo(request.method, request.raw.url ?? '/');
    const milliseconds = deadlineMilliseconds(request.info.query);
    if (access !== null) await within(milliseconds, admit(access, request));
    if (request.method !== 'GET' && !request.is404) throw methodNotAllowed();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (request.counted) inFlight -= 1;
    done();
  });

  const admit = async ({ authenticate, authorize, isCredentialHeader }: Access, request: FastifyRequest) => {
    const user = await authenticate({ certificate: shownCertificate(request), rawHeaders: request.raw.rawHeaders });
    for (const name of Object.keys(request.headers)) if (isCredentialHeader(name)) delete request.headers[name];
    count(request, user);
    await authorize(user, request.info);
  };
  const count = (request: FastifyRequest, user: User): void => {
    if (isMaster(user)) return;
    if (inFlight >= mostInFlight) throw tooManyRequests();
    request.counted = true;
    inFlight += 1;
  };
  return () => inFlight;
};

/** What every answer carries. */
export const addCommonHeaders = (request: FastifyRequest, reply: FastifyReply): void => {
  reply.header('audit-id', request.headers['audit-id'] ?? randomUUID()).header('cache-control', 'no-cache, private');
};

/** In HTTP/2 each request has a stand-in for the socket; the session is what lasts as long as the connection. */
const shownCertificate = ({ raw }: FastifyRequest): ClientCertificate | null => {
  const session = (raw as { stream?: { session?: { socket: TLSSocket } } }).stream?.session;
  return session === undefined
    ? clientCertificate(raw.socket, raw.socket as TLSSocket)
    : clientCertificate(session, session.socket);
};

const within = async (milliseconds: number, work: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timedOut()), milliseconds);
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
};
