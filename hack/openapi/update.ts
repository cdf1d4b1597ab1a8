/**
 * Writes the OpenAPI documents that gpumix serves, each at the path that it is served at, into src/api/openapi/: version 2, of
 * all groups and of the custom metrics alone, in JSON and protobuf, and version 3 of each group version.
 *
 *   node hack/openapi/update.ts           write them
 *   node hack/openapi/update.ts --check   fail where one differs
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { version } from '../../src/runtime/version.ts';
import { type Definitions, type Operation, type Parameter, swaggerProtobuf } from './swagger-protobuf.ts';

interface Source {
  readonly commonDefinitions: Definitions;
  readonly groupVersions: readonly GroupVersion[];
}
interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly definitions: Definitions;
  /** What GET of a path is called, takes and answers, which is the name of a definition. */
  readonly paths: Readonly<Record<string, Route>>;
}
interface Route {
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  readonly answers: string;
}

const source: Source = parse(readFileSync(join(import.meta.dirname, 'openapi.yaml'), 'utf8'));
const info = { title: 'gpumix', version };
const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** References as the document's version spells them. */
const referringTo = (prefix: string, definitions: Definitions): Definitions =>
  JSON.parse(JSON.stringify(definitions), (key, value) => (key === '$ref' ? `${prefix}${value}` : value));

const inPaths = <Item>(groupVersions: readonly GroupVersion[], operation: (route: Route) => Item) =>
  Object.fromEntries(
    groupVersions.flatMap(({ paths }) =>
      Object.entries(paths).map(([path, route]) => [path, { get: operation(route) }] as const),
    ),
  );

const swagger = (groupVersions: readonly GroupVersion[]) => ({
  swagger: '2.0',
  info,
  paths: inPaths(
    groupVersions,
    ({ operationId, description, parameters, answers }): Operation => ({
      description,
      operationId,
      produces: mediaTypes,
      parameters: parameters.map((parameter) => ({ ...parameter, type: 'string' })),
      responses: { '200': { description: 'OK', schema: { $ref: `#/definitions/${answers}` } } },
    }),
  ),
  definitions: referringTo('#/definitions/', {
    ...source.commonDefinitions,
    ...Object.assign({}, ...groupVersions.map(({ definitions }) => definitions)),
  }),
});

const version3 = (groupVersion: GroupVersion) => ({
  openapi: '3.0.0',
  info,
  paths: inPaths([groupVersion], ({ operationId, description, parameters, answers }) => {
    const schema = { $ref: `#/components/schemas/${answers}` };
    return {
      description,
      operationId,
      parameters: parameters.map((parameter) => ({ ...parameter, schema: { type: 'string' } })),
      responses: {
        '200': {
          description: 'OK',
          content: Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }])),
        },
      },
    };
  }),
  components: {
    schemas: referringTo('#/components/schemas/', { ...source.commonDefinitions, ...groupVersion.definitions }),
  },
});

const json = (document: object): Buffer => Buffer.from(JSON.stringify(document));
const custom = swagger(source.groupVersions.filter(({ group }) => group === 'custom.metrics.k8s.io'));
const all = swagger(source.groupVersions);
const files: readonly (readonly [string, Buffer])[] = [
  ['v2/custom', json(custom)],
  ['v2/custom.protobuf', swaggerProtobuf(custom)],
  ['v2/custom-and-external', json(all)],
  ['v2/custom-and-external.protobuf', swaggerProtobuf(all)],
  ...source.groupVersions.map((one) => [`v3/apis/${one.group}/${one.version}`, json(version3(one))] as const),
];

const folder = join(import.meta.dirname, '../../src/api/openapi');
for (const [path, bytes] of files) {
  const file = join(folder, path);
  if (existsSync(file) && readFileSync(file).equals(bytes)) continue;
  if (process.argv.includes('--check')) {
    console.error(`src/api/openapi/${path} differs: run npm run update`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    console.log(`src/api/openapi/${path}`);
  }
}
