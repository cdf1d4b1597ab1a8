import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { listening } from '../runtime/listen.ts';
import { hostAndPort } from '../runtime/plain-http.ts';
import { unusedConnections } from '../runtime/unused-connections.ts';
import { type ApiCall, readRequest } from './openai-request.ts';
import type { Gateway } from './proxy.ts';
import { malformedRequest, notFound, type Refusal, refusalText } from './refusals.ts';

export interface GatewayServerOptions {
  readonly gateway: Gateway;
  /** Models that are served, as `GET /v1/models` lists them. */
  readonly models: () => readonly string[];
  readonly host: string;
  readonly port: number;
  readonly mostBodyBytes: number;
  /** Further ones are closed at once. */
  readonly mostConnections: number;
}

export interface RunningGateway {
  readonly url: string;
  /** Takes no new connection, and waits until what is in flight has ended, at most so long (s). */
  close(seconds: number): Promise<void>;
}

const calls: Readonly<Record<string, ApiCall>> = {
  '/v1/completions': 'completions',
  '/v1/chat/completions': 'chat',
  '/v1/embeddings': 'embeddings',
};
/** Longest head of a request (bytes), as in most servers. */
const mostHeadBytes = 16 << 10;
/** A client that has not sent its whole request by then is cut off (ms). */
const receiveMilliseconds = 60_000;

/** The OpenAI calls over HTTP/1.1. What breaks the protocol is answered 400 and its connection closed. */
export const startGatewayServer = async (options: GatewayServerOptions): Promise<RunningGateway> => {
  const app = fastify({
    bodyLimit: options.mostBodyBytes,
    http: { maxHeaderSize: mostHeadBytes, keepAlive: true, keepAliveInitialDelay: 30_000 },
    requestTimeout: receiveMilliseconds,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreDuplicateSlashes: false },
  });
  app.addHook('onRequest', async (request, reply) => {
    if (hostsIn(request.raw.rawHeaders) > 1) return refuse(reply, malformedRequest('two Host headers'));
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.server.maxConnections = options.mostConnections;
  const closeUnused = unusedConnections(app.server);
  app.addHook('preClose', async () => closeUnused());
  routes(app, options);
  await listening(options.host, options.port, () => app.listen({ host: options.host, port: options.port }));
  const { port } = app.server.address() as AddressInfo;
  return {
    url: `http://${hostAndPort(options.host, port)}`,
    close: async (seconds) => {
      const timer = setTimeout(() => app.server.closeAllConnections(), seconds * 1000);
      await app.close();
      clearTimeout(timer);
    },
  };
};

/** Node keeps the first of several; RFC 9112, 3.2 wants them refused. */
const hostsIn = (rawHeaders: readonly string[]): number =>
  rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host').length;

const routes = (app: FastifyInstance, { gateway, models }: GatewayServerOptions): void => {
  for (const [path, call] of Object.entries(calls))
    app.post(path, async (request, reply) => {
      const asked = readRequest(call, typeof request.body === 'string' ? request.body : '');
      if (typeof asked === 'string') return refuse(reply, malformedRequest(asked));
      reply.hijack();
      await gateway.serve(asked, path, request.headers, reply.raw);
    });
  app.get('/v1/models', async () => ({
    object: 'list',
    data: models().map((id) => ({ id, object: 'model', owned_by: 'gpumix' })),
  }));
  app.setNotFoundHandler((request, reply) => refuse(reply, notFound(`${request.method} is not served at this path`)));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return refuse(reply, { ...malformedRequest(error.message), status });
  });
};

const refuse = (reply: FastifyReply, refusal: Refusal): FastifyReply =>
  reply.code(refusal.status).type('application/json').send(refusalText(refusal));
