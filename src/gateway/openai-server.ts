import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteHandler } from 'fastify';
import { listening } from '../runtime/listen.ts';
import { hostAndPort } from '../runtime/plain-http.ts';
import { unusedConnections } from '../runtime/unused-connections.ts';
import { type ApiCall, callsByPath } from './api-calls.ts';
import { readForm, readRequest } from './openai-request.ts';
import type { Gateway } from './proxy.ts';
import { compressed, malformedRequest, notFound, type Refusal, refusalText, unknownModel } from './refusals.ts';

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
    // Its model and size stand in it, and engines do not read it either.
    const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
    if (encoding !== '' && encoding !== 'identity') return refuse(reply, compressed(encoding));
  });
  app.removeAllContentTypeParsers();
  // Sounds are no text.
  app.addContentTypeParser(/^multipart\//i, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
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
  const allowed = new Map<string, string>();
  const post = (path: string, handler: RouteHandler): void => {
    app.post(path, handler);
    allowed.set(path, 'POST, OPTIONS');
  };
  for (const [path, call] of callsByPath)
    post(path, async (request, reply) => {
      const asked = await readCall(call, request);
      if (typeof asked === 'string') return refuse(reply, malformedRequest(asked));
      reply.hijack();
      await gateway.serve(asked, path + queryOf(request), request.headers, reply.raw);
    });
  storedRoutes(app, gateway);
  modelRoutes(app, models);
  app.get('/health', async (_request, reply) => reply.send(''));
  for (const path of ['/v1/models', '/health']) allowed.set(path, 'GET, HEAD, OPTIONS');
  for (const [path, methods] of allowed)
    app.options(path, async (_request, reply) => reply.code(204).header('allow', methods).send());
  app.setNotFoundHandler((request, reply) => refuse(reply, notFound(`${request.method} is not served at this path`)));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    return refuse(reply, { ...malformedRequest(error.message), status });
  });
};

const readCall = (call: ApiCall, { body, headers }: FastifyRequest) =>
  Buffer.isBuffer(body)
    ? readForm(call, body, String(headers['content-type']))
    : readRequest(call, typeof body === 'string' ? body : '');

/** What is between engine and client (`?beta=true`). The path before it is ours: a target may name another host. */
const queryOf = ({ raw }: FastifyRequest): string => /\?.*/.exec(raw.url ?? '')?.[0] ?? '';

/** Requests about responses that engines keep. */
const storedRoutes = (app: FastifyInstance, gateway: Gateway): void => {
  const serve =
    (suffix: string) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const { method, headers } = request;
      reply.hijack();
      const body = typeof request.body === 'string' && request.body !== '' ? request.body : null;
      const { id } = request.params as { readonly id: string };
      const path = `/v1/responses/${encodeURIComponent(id)}${suffix}${queryOf(request)}`;
      await gateway.serveStored({ id, method, path, headers, body }, reply.raw);
    };
  app.route({ method: ['GET', 'DELETE'], url: '/v1/responses/:id', exposeHeadRoute: false, handler: serve('') });
  app.route({ method: 'GET', url: '/v1/responses/:id/input_items', exposeHeadRoute: false, handler: serve('/input_items') });
  app.post('/v1/responses/:id/cancel', serve('/cancel'));
};

const modelRoutes = (app: FastifyInstance, models: () => readonly string[]): void => {
  const modelOf = (id: string) => ({ id, object: 'model', owned_by: 'gpumix' });
  app.get('/v1/models', async () => ({ object: 'list', data: models().map(modelOf) }));
  // Names may hold slashes.
  app.get('/v1/models/*', async (request, reply) => {
    const { '*': id } = request.params as { readonly '*': string };
    return models().includes(id) ? modelOf(id) : refuse(reply, unknownModel(id));
  });
};

const refuse = (reply: FastifyReply, refusal: Refusal): FastifyReply =>
  reply.code(refusal.status).type('application/json').send(refusalText(refusal));
