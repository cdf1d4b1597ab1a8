import { constants } from 'node:crypto';
import { METHODS } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { unusedConnections } from '../runtime/unused-connections.ts';
import { type Access, addAccess, addCommonHeaders } from './access.ts';
import { send, sendBytes, sendError } from './answer.ts';
import type { ApiGroup, ReadableBoard } from './api-group.ts';
import { type ApiTelemetry, addTelemetry } from './api-telemetry.ts';
import { answerBrokenRequest, type ConnectionLimits, defaultConnectionLimits, limitConnections } from './connections.ts';
import {
  aggregatedDiscovery,
  aggregatedParameters,
  apiGroup,
  groupList,
  resourceList,
  type UpstreamEntries,
} from './discovery.ts';
import { addHealthEndpoints, type ReadyCheck } from './health-endpoints.ts';
import type { RequestLog } from './log.ts';
import { asksForAggregated, negotiated } from './negotiation.ts';
import { addOpenapi } from './openapi.ts';
import { json, represented } from './representation.ts';
import { pathAndQuery } from './request-info.ts';
import type { ServingCertificate } from './serving-certificate.ts';
import { noSuchResource } from './status.ts';
import type { Upstream } from './upstream-adapter.ts';

export interface ApiOptions {
  readonly board: ReadableBoard;
  readonly groups: readonly ApiGroup[];
  /** Serves what is not ours. */
  readonly upstream?: Upstream | undefined;
  /** Of gpumix, for /version. */
  readonly version: string;
  /** Null: plain HTTP, for the demo on loopback. */
  readonly certificate: ServingCertificate | null;
  /** Null: everybody may ask. */
  readonly access: Access | null;
  /** What must be in order before requests should come here. */
  readonly readyChecks: readonly ReadyCheck[];
  readonly log: RequestLog;
  /** What `/metrics` shows, ours added. */
  readonly registry: Registry;
  readonly connectionLimits?: ConnectionLimits;
}

/** The aggregated API server, not yet listening. */
export const buildServer = (options: ApiOptions): FastifyInstance => {
  const app = emptyServer(options);
  const paths: string[] = [];
  app.addHook('onRoute', ({ url }) => {
    if (!/[:*]|\/$/.test(url) && !paths.includes(url)) paths.push(url);
  });
  const inFlight = addAccess(app, options.access);
  const telemetry = addTelemetry(app, options.registry, inFlight);
  app.setErrorHandler((error, request, reply) => sendError(request, reply, error, options.log));
  addRoutes(app, options, telemetry);
  const index = Buffer.from(json({ paths: paths.sort() }, true));
  for (const url of ['/', '/index.html']) {
    app.all(url, (_request, reply) => sendBytes(reply, 200, 'application/json', index));
  }
  app.setNotFoundHandler((request, reply) => {
    if (/^\/(apis|version)(\/|$)/.test(request.info.path)) throw noSuchResource();
    return sendBytes(reply, 404, 'application/json', index);
  });
  return app;
};

/** HTTP/1.1 and HTTP/2 over TLS, or plain HTTP/1.1 without a certificate; no routes yet. */
const emptyServer = ({ certificate, connectionLimits = defaultConnectionLimits, log }: ApiOptions): FastifyInstance => {
  const common = {
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    rewriteUrl: ({ url }: { url?: string }) => canonicalTarget(url ?? '/'),
    routerOptions: { maxParamLength: 100_000 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      addCommonHeaders(request, reply);
      sendError(request, reply, error, log);
    },
  };
  const connectionsCheckingInterval = Math.min(5_000, connectionLimits.headerMilliseconds);
  const https = certificate && { ...tlsOptions, ...pairOf(certificate), connectionsCheckingInterval };
  const secure = https && { http2: true, https };
  const app = fastify({ ...common, ...secure } as object) as unknown as FastifyInstance;
  limitConnections(app.server, connectionLimits);
  const closeUnused = unusedConnections(app.server);
  app.addHook('preClose', async () => closeUnused());
  certificate?.onChange(() => secureServer(app).setSecureContext({ ...tlsOptions, ...pairOf(certificate) }));
  for (const method of METHODS) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method);
  return app;
};

const secureServer = (app: FastifyInstance) => app.server as unknown as { setSecureContext: (context: object) => void };

const pairOf = ({ current }: ServingCertificate) => ({ cert: current().certificate, key: current().privateKey });

/**
 * Client certificates are asked for and never checked in the handshake: authentication does that for each request, so
 * that a new authority counts at once on open connections. Without tickets no session outlives its certificate.
 */
const tlsOptions = {
  allowHTTP1: true,
  minVersion: 'TLSv1.2',
  requestCert: true,
  handshakeTimeout: defaultConnectionLimits.headerMilliseconds,
  rejectUnauthorized: false,
  ca: [], // no list of acceptable authorities: clients show what they have
  secureOptions: constants.SSL_OP_NO_TICKET,
  ciphers: 'ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!AESCCM:!aNULL:!PSK',
  maxHeaderSize: 1024 * 1024,
  settings: { maxConcurrentStreams: 100 },
} as const;

/** One spelling for each path, so that the router and authorization read the same: decoded once, encoded anew. */
const canonicalTarget = (target: string): string => {
  const relative = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  if (!/[%#]/.test(relative) && relative.startsWith('/')) return relative;
  const mark = relative.indexOf('?');
  try {
    const path = pathAndQuery(relative).path.split('/').map(encodeURIComponent).join('/');
    return `${path.startsWith('/') ? '' : '/'}${path}${mark < 0 ? '' : relative.slice(mark)}`;
  } catch {
    return '/%'; // the router refuses it
  }
};

const addRoutes = (
  app: FastifyInstance,
  { board, groups, upstream, version, readyChecks }: ApiOptions,
  telemetry: ApiTelemetry,
): void => {
  addHealthEndpoints(app, readyChecks);
  addOpenapi(app, groups);
  const more: UpstreamEntries = (group, served) => upstream?.resources(group, served) ?? [];
  for (const slash of ['', '/']) addDiscovery(app, groups, more, slash);
  for (const { name, versions, isOwn, answer } of groups) {
    app.all(`/apis/${name}/:version/*`, (request, reply) => {
      const { resource } = request.info;
      negotiated(request.headers.accept); // as in Go, what the caller cannot read is refused before it is looked up
      if (resource?.group !== name || !versions.includes(resource.version)) throw noSuchResource();
      if (upstream !== undefined && !isOwn(resource)) return passOn(upstream, request, reply);
      const list = answer(board, request.info);
      const now = Date.now();
      const ages = list.items.map(({ timestamp }) => (now - Date.parse(timestamp)) / 1000);
      telemetry.served(name, ages);
      return send(request, reply, list);
    });
  }
  const versionInfo = Buffer.from(json(versionOf(version), true));
  app.all('/version', (request, reply) => {
    negotiated(request.headers.accept, ['application/json']);
    return sendBytes(reply, 200, 'application/json', versionInfo);
  });
};

/** The caller is authorized; the answer, whatever it says, goes back as it came. */
const passOn = async (upstream: Upstream, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
  const { status, headers, body } = await upstream.pass(request.raw.url ?? '/', request.headers);
  for (const name of ['content-type', 'content-encoding', 'vary', 'retry-after'] as const) {
    if (headers[name] !== undefined) reply.header(name, headers[name]);
  }
  return reply.code(status).send(body);
};

/** Everything the aggregator asks for before it leads anybody here. */
const addDiscovery = (app: FastifyInstance, groups: readonly ApiGroup[], more: UpstreamEntries, slash: string): void => {
  app.all(`/apis${slash}`, (request, reply) => {
    const mediaType = asksForAggregated(request.headers.accept);
    if (mediaType === undefined) return send(request, reply, groupList(groups, request.host));
    const { etag, body } = aggregatedDiscovery(groups, more);
    const contentType = `${mediaType};${aggregatedParameters}`;
    reply.header('etag', etag).header('vary', 'Accept').header('cache-control', 'public');
    if (request.headers['if-none-match'] === etag) return reply.code(304).header('content-type', contentType).send();
    return sendBytes(reply, 200, contentType, represented(body, mediaType, false));
  });
  for (const group of groups) {
    app.all(`/apis/${group.name}${slash}`, (request, reply) => send(request, reply, apiGroup(group)));
    for (const version of group.versions) {
      app.all(`/apis/${group.name}/${version}${slash}`, (request, reply) =>
        send(request, reply, resourceList(group, version, more)),
      );
    }
  }
};

/** The version object of the generic API server; all of it text. */
const versionOf = (version: string) => {
  const [major = '0', minor = '0'] = version.split('.');
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: minor,
    gitVersion: `v${version}`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'v8',
    platform: `${process.platform}/${process.arch}`,
  };
};
