import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendBytes } from './answer.ts';
import type { ApiGroup } from './group.ts';
import { openapiV2, openapiV3 } from './openapi.ts';
import { openapiProtobuf } from './openapi-protobuf.ts';

const protobufTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
];
const year = 365 * 86_400;

/** `/openapi/v2` and `/openapi/v3`, with validators so that the aggregator downloads them once. */
export const addOpenapi = (app: FastifyInstance, groups: readonly ApiGroup[], version: string): void => {
  const started = new Date().toUTCString();
  const v2 = openapiV2(groups, version);
  const json = Buffer.from(JSON.stringify(v2));
  const etag = etagOf(json);
  app.all('/openapi/v2', (request, reply) => {
    const type = acceptable(request, ['application/json', ...protobufTypes]);
    reply.header('vary', 'Accept');
    if (type === undefined) return reply.code(406).send();
    reply.header('etag', etag).header('last-modified', started);
    if (request.headers['if-none-match'] === etag) return reply.code(304).send();
    if (type === 'application/json') return sendBytes(reply, 200, type, json);
    return sendBytes(reply, 200, protobufTypes[0] ?? type, openapiProtobuf(v2));
  });

  const documents = groups.flatMap((group) =>
    group.versions.map((served) => {
      const bytes = Buffer.from(JSON.stringify(openapiV3(group, served, version)));
      return { key: `apis/${group.name}/${served}`, bytes, etag: etagOf(bytes) };
    }),
  );
  const current = ({ key, etag }: (typeof documents)[number]) => `/openapi/v3/${key}?hash=${etag.slice(1, -1)}`;
  const paths = documents.map((document) => [document.key, { serverRelativeURL: current(document) }]);
  const index = Buffer.from(JSON.stringify({ paths: Object.fromEntries(paths) }));
  app.all('/openapi/v3', (_request, reply) => sendBytes(reply, 200, 'application/json', index));
  app.all('/openapi/v3/*', (request, reply) => {
    reply.header('vary', 'Accept');
    const document = documents.find(({ key }) => `/openapi/v3/${key}` === request.info.path);
    if (document === undefined) return reply.code(200).send(); // as Go does: nothing there is not an error
    if (acceptable(request, ['application/json']) === undefined) return reply.code(406).send();
    return sendDocument(request, reply, document, current(document), started);
  });
};

const sendDocument = (
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, etag }: { readonly bytes: Buffer; readonly etag: string },
  current: string,
  started: string,
) => {
  const hash = request.info.query.get('hash');
  if (hash !== null && hash !== '') {
    if (`"${hash}"` !== etag) return reply.code(301).header('location', current).send();
    const expires = new Date(Date.now() + year * 1000).toUTCString();
    reply.header('cache-control', 'public, immutable').header('expires', expires);
  }
  reply.header('etag', etag).header('last-modified', started);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return sendBytes(reply, 200, 'application/json', bytes);
};

const etagOf = (bytes: Buffer): string => `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"`;

/** The first type of the Accept header that is on offer. */
const acceptable = (request: FastifyRequest, offered: readonly string[]): string | undefined => {
  const accepted = (request.headers.accept ?? '*/*').split(',').map((clause) => clause.split(';')[0]?.trim());
  for (const type of accepted) {
    if (type === '*/*' || type === 'application/*') return offered[0];
    const found = offered.find((one) => one === type);
    if (found !== undefined) return found;
  }
  return undefined;
};
