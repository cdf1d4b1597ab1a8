import { stringify } from 'yaml';
import { fields, type Messages, message } from '../../src/api/wire.ts';

/** The Swagger document in the protobuf form of google/gnostic (openapiv2/OpenAPIv2.proto), which client-go asks for. */

const messages: Messages = {
  Document: fields('1 swagger, 2 info Info, 8 paths Paths, 9 definitions Schemas'),
  Info: fields('1 title, 2 version'),
  Paths: fields('2 path []NamedPathItem'),
  NamedPathItem: fields('1 name, 2 value PathItem'),
  PathItem: fields('2 get Operation'),
  Operation: fields('3 description, 5 operationId, 6 produces []string, 8 parameters []ParametersItem, 9 responses Responses'),
  ParametersItem: fields('1 parameter Parameter'),
  Parameter: fields('2 nonBody NonBody'),
  NonBody: fields('3 query Query?, 4 path Path?'),
  Query: fields('1 required bool?, 2 in, 3 description, 4 name, 6 type'),
  Path: fields('1 required bool?, 2 in, 3 description, 4 name, 5 type'),
  Responses: fields('1 code []NamedResponseValue'),
  NamedResponseValue: fields('1 name, 2 value ResponseValue'),
  ResponseValue: fields('1 response Response'),
  Response: fields('1 description, 2 schema SchemaItem'),
  SchemaItem: fields('1 schema Schema'),
  Schemas: fields('1 additionalProperties []NamedSchema'),
  NamedSchema: fields('1 name, 2 value Schema'),
  Schema: fields(
    '1 $ref string?, 2 format string?, 4 description string?, 19 required []string, 21 additional SchemaItem?, 22 type Type?, 23 items Items?, 25 properties Schemas?, 31 extensions []NamedAny',
  ),
  Type: fields('1 value []string'),
  Items: fields('1 schema []Schema'),
  NamedAny: fields('1 name, 2 value Any'),
  Any: fields('2 yaml'),
};

/** A JSON schema of the few kinds that the metrics APIs need. */
interface Schema {
  readonly type?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Definitions;
  readonly $ref?: string;
  readonly 'x-kubernetes-group-version-kind'?: readonly object[];
}
export type Definitions = Readonly<Record<string, Schema>>;

export interface Parameter {
  readonly in: 'path' | 'query';
  readonly required: boolean;
}

export interface Operation {
  readonly description: string;
  readonly operationId: string;
  readonly produces: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly schema: Schema }>>;
}

export interface Swagger {
  readonly swagger: string;
  readonly info: object;
  readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  readonly definitions: Definitions;
}

export const swaggerProtobuf = ({ swagger, info, paths, definitions }: Swagger): Buffer =>
  message(messages, 'Document', {
    swagger,
    info,
    paths: { path: Object.entries(paths).map(([name, { get }]) => ({ name, value: { get: operation(get) } })) },
    definitions: named(definitions),
  });

const operation = ({ parameters, responses, ...rest }: Operation) => ({
  ...rest,
  parameters: parameters.map((parameter) => ({ parameter: { nonBody: nonBody(parameter) } })),
  responses: {
    code: Object.entries(responses).map(([name, { description, schema }]) => ({
      name,
      value: { response: { description, schema: { schema: schemaForm(schema) } } },
    })),
  },
});

const nonBody = (parameter: Parameter) => ({
  [parameter.in]: { ...parameter, required: parameter.required || undefined },
});

const named = (schemas: Definitions) => ({
  additionalProperties: Object.entries(schemas).map(([name, value]) => ({ name, value: schemaForm(value) })),
});

const schemaForm = ({ type, items, additionalProperties, properties, ...rest }: Schema): object => {
  const kinds = rest['x-kubernetes-group-version-kind'];
  const extension = kinds && { name: 'x-kubernetes-group-version-kind', value: { yaml: stringify(kinds) } };
  return {
    ...rest,
    type: type && { value: [type] },
    items: items && { schema: [schemaForm(items)] },
    additional: additionalProperties && { schema: schemaForm(additionalProperties) },
    properties: properties && named(properties),
    extensions: extension ? [extension] : [],
  };
};
