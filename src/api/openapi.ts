import type { ApiGroup } from './group.ts';

/**
 * OpenAPI descriptions of the groups that we serve, in version 2 (one document, which the aggregator merges into the
 * cluster's) and version 3 (one for each group version). Both are written from the same parts.
 */

/** A JSON schema of the few kinds that we need; `$ref` names a definition. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer';
  readonly format?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly 'x-kubernetes-group-version-kind'?: readonly object[];
}
export type Definitions = Readonly<Record<string, Schema>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly required: boolean;
}

/** One path and what GET of it is called and answers. */
export interface Route {
  readonly path: string;
  readonly operationId: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
  /** Name of a definition. */
  readonly answers: string;
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const text: Schema = { type: 'string' };
const listOf = (items: Schema): Schema => ({ type: 'array', items });
const reference = (name: string): Schema => ({ $ref: name });
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});

const common: Definitions = {
  'io.k8s.api.core.v1.ObjectReference': object({
    apiVersion: text,
    fieldPath: text,
    kind: text,
    name: text,
    namespace: text,
    resourceVersion: text,
    uid: text,
  }),
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'string' },
  [`${meta}.APIGroup`]: object({
    apiVersion: text,
    kind: text,
    name: text,
    versions: listOf(object({ groupVersion: text, version: text })),
  }),
  [`${meta}.APIResourceList`]: object({
    apiVersion: text,
    groupVersion: text,
    kind: text,
    resources: listOf(reference(`${meta}.APIResource`)),
  }),
  [`${meta}.APIResource`]: object({ kind: text, name: text, singularName: text, verbs: listOf(text) }),
  [`${meta}.LabelSelector`]: object({
    matchExpressions: listOf(reference(`${meta}.LabelSelectorRequirement`)),
    matchLabels: { type: 'object', additionalProperties: text },
  }),
  [`${meta}.LabelSelectorRequirement`]: object({ key: text, operator: text, values: listOf(text) }, ['key', 'operator']),
  [`${meta}.ListMeta`]: object({ continue: text, resourceVersion: text, selfLink: text }),
  [`${meta}.Time`]: { type: 'string', format: 'date-time' },
};
const quantity = reference('io.k8s.apimachinery.pkg.api.resource.Quantity');
const time = reference(`${meta}.Time`);
const selector = reference(`${meta}.LabelSelector`);
const described = reference('io.k8s.api.core.v1.ObjectReference');
const seconds: Schema = { type: 'integer', format: 'int64' };

/** The items of each group version; `metric` of v1beta2 is a definition of its own. */
const itemSchemas: Record<string, Record<string, Schema>> = {
  'custom.metrics.k8s.io/v1beta2': {
    MetricValue: object(
      {
        describedObject: described,
        metric: reference(definitionName('custom.metrics.k8s.io', 'v1beta2', 'MetricIdentifier')),
        timestamp: time,
        value: quantity,
        windowSeconds: seconds,
      },
      ['describedObject', 'metric', 'timestamp', 'value'],
    ),
    MetricIdentifier: object({ name: text, selector }, ['name']),
  },
  'custom.metrics.k8s.io/v1beta1': {
    MetricValue: object(
      { describedObject: described, metricName: text, selector, timestamp: time, value: quantity, window: seconds },
      ['describedObject', 'metricName', 'timestamp', 'value'],
    ),
  },
  'external.metrics.k8s.io/v1beta1': {
    ExternalMetricValue: object(
      {
        metricLabels: { type: 'object', additionalProperties: text },
        metricName: text,
        timestamp: time,
        value: quantity,
        window: seconds,
      },
      ['metricName', 'metricLabels', 'timestamp', 'value'],
    ),
  },
};

/** `io.k8s.metrics.pkg.apis.custom_metrics.v1beta2.MetricValueList`, as Go adapters name it. */
function definitionName(group: string, version: string, kind: string): string {
  return `io.k8s.metrics.pkg.apis.${group.replace('.metrics.k8s.io', '_metrics')}.${version}.${kind}`;
}

export const definitionsOf = ({ name, kind }: ApiGroup, version: string): Definitions => {
  const own = Object.entries(itemSchemas[`${name}/${version}`] ?? {});
  const list = object(
    {
      apiVersion: text,
      items: listOf(reference(definitionName(name, version, kind.replace(/List$/, '')))),
      kind: text,
      metadata: reference(`${meta}.ListMeta`),
    },
    ['items'],
  );
  return {
    ...common,
    ...Object.fromEntries(own.map(([item, schema]) => [definitionName(name, version, item), schema])),
    [definitionName(name, version, kind)]: {
      ...list,
      'x-kubernetes-group-version-kind': [{ group: name, kind, version }],
    },
  };
};

const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', description, required: true });
const inQuery = (name: string, description: string): Parameter => ({ name, in: 'query', description, required: false });
const namespace = inPath('namespace', 'namespace of the described object');
const labelSelector = inQuery('labelSelector', 'restricts the answer to what carries these labels');

export const routesOf = (group: ApiGroup, version: string): readonly Route[] => {
  const prefix = `/apis/${group.name}/${version}`;
  const [word, capital] = [`${group.kind === 'MetricValueList' ? 'Custom' : 'External'}Metrics`, capitalized(version)];
  const answers = definitionName(group.name, version, group.kind);
  const resources: Route = {
    path: `${prefix}/`,
    operationId: `get${word}${capital}APIResources`,
    description: 'get available resources',
    parameters: [],
    answers: `${meta}.APIResourceList`,
  };
  if (group.kind === 'ExternalMetricValueList') {
    const parameters = [namespace, inPath('resource', 'name of the metric'), labelSelector];
    const values = { description: 'list external metrics', parameters, answers };
    const path = `${prefix}/namespaces/{namespace}/{resource}`;
    return [resources, { path, operationId: `list${word}${capital}ExternalMetricValue`, ...values }];
  }
  const parameters = [
    namespace,
    inPath('resource', 'resource and group of the described object: deployments.apps'),
    inPath('name', 'name of the described object; * for all'),
    inPath('subresource', 'name of the metric'),
    labelSelector,
    inQuery('metricLabelSelector', 'restricts the answer to metrics that carry these labels'),
  ];
  const path = `${prefix}/namespaces/{namespace}/{resource}/{name}/{subresource}`;
  const operationId = `list${word}${capital}NamespacedMetricValue`;
  return [resources, { path, operationId, description: 'metric of one object, or of all selected', parameters, answers }];
};
const capitalized = (version: string): string => `${version[0]?.toUpperCase()}${version.slice(1)}`;

const info = (version: string) => ({ title: 'gpumix', version });
const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** All groups in one Swagger 2.0 document. */
export const openapiV2 = (groups: readonly ApiGroup[], ofGpumix: string) => {
  const each = groups.flatMap((group) => group.versions.map((version) => ({ group, version })));
  const definitions: Definitions = Object.assign({}, ...each.map(({ group, version }) => definitionsOf(group, version)));
  const paths = each.flatMap(({ group, version }) => routesOf(group, version)).map((route) => [route.path, getV2(route)]);
  return {
    swagger: '2.0',
    info: info(ofGpumix),
    paths: Object.fromEntries(paths) as Readonly<Record<string, ReturnType<typeof getV2>>>,
    definitions: referringTo('#/definitions/', definitions),
  };
};

const getV2 = ({ operationId, description, parameters, answers }: Route) => ({
  get: {
    description,
    operationId,
    produces: mediaTypes,
    parameters: parameters.map((parameter) => ({ ...parameter, type: 'string' as const })),
    responses: { '200': { description: 'OK', schema: { $ref: `#/definitions/${answers}` } } },
  },
});

/** One group version in an OpenAPI 3.0 document. */
export const openapiV3 = (group: ApiGroup, version: string, ofGpumix: string) => ({
  openapi: '3.0.0',
  info: info(ofGpumix),
  paths: Object.fromEntries(routesOf(group, version).map((route) => [route.path, getV3(route)])),
  components: { schemas: referringTo('#/components/schemas/', definitionsOf(group, version)) },
});

const getV3 = ({ operationId, description, parameters, answers }: Route) => {
  const schema = { $ref: `#/components/schemas/${answers}` };
  const content = Object.fromEntries(mediaTypes.map((mediaType) => [mediaType, { schema }]));
  return {
    get: {
      description,
      operationId,
      parameters: parameters.map((parameter) => ({ ...parameter, schema: text })),
      responses: { '200': { description: 'OK', content } },
    },
  };
};

/** References as the document's version spells them. */
const referringTo = (prefix: string, definitions: Definitions): Definitions =>
  JSON.parse(JSON.stringify(definitions), (key, value) => (key === '$ref' ? `${prefix}${value}` : value));
