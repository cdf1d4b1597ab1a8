import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { shippedOpenapi } from '../runtime/shipped-files.ts';
import { sendBytes } from './answer.ts';
import type { ApiGroup } from './api-group.ts';

const protobufTypes = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
] as const;
const year = 365 * 86_400;
const started = new Date().toUTCString();

interface Document {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** `/openapi/v2` and `/openapi/v3`, written by hack/openapi, with validators so that the aggregator downloads them once. */
export const addOpenapi = (app: FastifyInstance, groups: readonly ApiGroup[]): void => {
  const file = `v2/${groups.map(({ name }) => name.split('.')[0]).join('-and-')}`;
  const json = documentOf(file);
  const protobuf = { ...json, bytes: shipped(`${file}.protobuf`) }; // the same document, so the same validator
  app.all('/openapi/v2', (request, reply) => {
    const type = acceptable(request, ['application/json', ...protobufTypes]);
    reply.header('vary', 'Accept');
    if (type === undefined) return reply.code(406).send();
    if (type === 'application/json') return sendDocument(request, reply, json, type);
    return sendDocument(request, reply, protobuf, protobufTypes[0]);
  });

  const keys = groups.flatMap(({ name, versions }) => versions.map((version) => `apis/${name}/${version}`));
  const documents = new Map(keys.map((key) => [`/openapi/v3/${key}`, documentOf(`v3/${key}`)]));
  const current = (path: string, { etag }: Document) => `${path}?hash=${etag.slice(1, -1)}`;
  const paths = [...documents].map(([path, document], index) => [keys[index], { serverRelativeURL: current(path, document) }]);
  const index = Buffer.from(JSON.stringify({ paths: Object.fromEntries(paths) }));
  app.all('/openapi/v3', (_request, reply) => sendBytes(reply, 200, 'application/json', index));
  app.all('/openapi/v3/*', (request, reply) => {
    reply.header('vary', 'Accept');
    const { path, query } = request.info;
    const document = documents.get(path);
    if (document === undefined) return reply.code(200).send(); // as Go does: nothing there is not an error
    if (acceptable(request, ['application/json']) === undefined) return reply.code(406).send();
    const hash = query.get('hash') ?? '';
    if (hash !== '') {
      if (`"${hash}"` !== document.etag) return reply.code(301).header('location', current(path, document)).send();
      const expires = new Date(Date.now() + year * 1000).toUTCString();
      reply.header('cache-control', 'public, immutable').header('expires', expires);
    }
    return sendDocument(request, reply, document, 'application/json');
  });
};

const sendDocument = (request: FastifyRequest, reply: FastifyReply, { bytes, etag }: Document, contentType: string) => {
  reply.header('etag', etag).header('last-modified', started);
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  return sendBytes(reply, 200, contentType, bytes);
};

const shipped = (path: string): Buffer => readFileSync(join(shippedOpenapi, path));
const documentOf = (path: string): Document => {
  const bytes = shipped(path);
  return { bytes, etag: `"${createHash('sha512').update(bytes).digest('hex').toUpperCase()}"` };
};

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
