/**
 * Kubernetes' protobuf encoding of what we answer (metrics-api.md 5.2): an envelope that names the type, around proto2
 * as gogo writes it: fields in order of number; strings and numbers also when empty or zero; what is optional, repeated
 * or a map only when set.
 */

/** Number, key of the JSON form, type. `?`: only when set; `[]`: repeated; `map`: strings to strings, sorted. */
type Field = readonly [number: number, key: string, type: string];

const listOf = (item: string): readonly Field[] => [
  [1, 'metadata', 'ListMeta'],
  [2, 'items', `[]${item}`],
];

const messages: Record<string, readonly Field[]> = {
  'custom.metrics.k8s.io/v1beta1/MetricValueList': listOf('MetricValueV1beta1'),
  'custom.metrics.k8s.io/v1beta2/MetricValueList': listOf('MetricValueV1beta2'),
  'external.metrics.k8s.io/v1beta1/ExternalMetricValueList': listOf('ExternalMetricValue'),
  'v1/APIGroupList': [[1, 'groups', '[]APIGroup']],
  'v1/APIGroup': [
    [1, 'name', 'string'],
    [2, 'versions', '[]GroupVersion'],
    [3, 'preferredVersion', 'GroupVersion'],
    [4, 'serverAddressByClientCIDRs', '[]ServerAddress'],
  ],
  'v1/APIResourceList': [
    [1, 'groupVersion', 'string'],
    [2, 'resources', '[]APIResource'],
  ],
  'apidiscovery.k8s.io/v2/APIGroupDiscoveryList': listOf('APIGroupDiscovery'),
  'v1/Status': [
    [1, 'metadata', 'ListMeta'],
    [2, 'status', 'string'],
    [3, 'message', 'string'],
    [4, 'reason', 'string'],
    [5, 'details', 'StatusDetails?'],
    [6, 'code', 'int'],
  ],

  MetricValueV1beta1: [
    [1, 'describedObject', 'ObjectReference'],
    [2, 'metricName', 'string'],
    [3, 'timestamp', 'Time'],
    [4, 'window', 'int?'],
    [5, 'value', 'Quantity'],
    [6, 'selector', 'LabelSelector?'],
  ],
  MetricValueV1beta2: [
    [1, 'describedObject', 'ObjectReference'],
    [2, 'metric', 'MetricIdentifier'],
    [3, 'timestamp', 'Time'],
    [4, 'windowSeconds', 'int?'],
    [5, 'value', 'Quantity'],
  ],
  ExternalMetricValue: [
    [1, 'metricName', 'string'],
    [2, 'metricLabels', 'map'],
    [3, 'timestamp', 'Time'],
    [4, 'window', 'int?'],
    [5, 'value', 'Quantity'],
  ],
  MetricIdentifier: [
    [1, 'name', 'string'],
    [2, 'selector', 'LabelSelector?'],
  ],
  ObjectReference: [
    [1, 'kind', 'string'],
    [2, 'namespace', 'string'],
    [3, 'name', 'string'],
    [4, 'uid', 'string'],
    [5, 'apiVersion', 'string'],
    [6, 'resourceVersion', 'string'],
    [7, 'fieldPath', 'string'],
  ],
  LabelSelector: [
    [1, 'matchLabels', 'map'],
    [2, 'matchExpressions', '[]Requirement'],
  ],
  Requirement: [
    [1, 'key', 'string'],
    [2, 'operator', 'string'],
    [3, 'values', '[]string'],
  ],
  ListMeta: [
    [1, 'selfLink', 'string'],
    [2, 'resourceVersion', 'string'],
    [3, 'continue', 'string'],
  ],
  StatusDetails: [
    [1, 'name', 'string'],
    [2, 'group', 'string'],
    [3, 'kind', 'string'],
    [4, 'causes', '[]StatusCause'],
    [5, 'retryAfterSeconds', 'int'],
    [6, 'uid', 'string'],
  ],
  StatusCause: [
    [1, 'reason', 'string'],
    [2, 'message', 'string'],
    [3, 'field', 'string'],
  ],
  APIGroup: [
    [1, 'name', 'string'],
    [2, 'versions', '[]GroupVersion'],
    [3, 'preferredVersion', 'GroupVersion'],
    [4, 'serverAddressByClientCIDRs', '[]ServerAddress'],
  ],
  GroupVersion: [
    [1, 'groupVersion', 'string'],
    [2, 'version', 'string'],
  ],
  ServerAddress: [
    [1, 'clientCIDR', 'string'],
    [2, 'serverAddress', 'string'],
  ],
  APIResource: [
    [1, 'name', 'string'],
    [2, 'namespaced', 'bool'],
    [3, 'kind', 'string'],
    [4, 'verbs', 'Verbs'],
    [6, 'singularName', 'string'],
    [8, 'group', 'string'],
    [9, 'version', 'string'],
    [10, 'storageVersionHash', 'string'],
  ],
  APIGroupDiscovery: [
    [1, 'metadata', 'ObjectMeta'],
    [2, 'versions', '[]APIVersionDiscovery'],
  ],
  ObjectMeta: [
    [1, 'name', 'string'],
    [2, 'generateName', 'string'],
    [3, 'namespace', 'string'],
    [4, 'selfLink', 'string'],
    [5, 'uid', 'string'],
    [6, 'resourceVersion', 'string'],
    [7, 'generation', 'int'],
    [8, 'creationTimestamp', 'Time'],
  ],
  APIVersionDiscovery: [
    [1, 'version', 'string'],
    [2, 'resources', '[]APIResourceDiscovery'],
    [3, 'freshness', 'string'],
  ],
  APIResourceDiscovery: [
    [1, 'resource', 'string'],
    [2, 'responseKind', 'GroupVersionKind?'],
    [3, 'scope', 'string'],
    [4, 'singularResource', 'string'],
    [5, 'verbs', '[]string'],
    [8, 'subresources', '[]APISubresourceDiscovery'],
  ],
  APISubresourceDiscovery: [
    [1, 'subresource', 'string'],
    [2, 'responseKind', 'GroupVersionKind?'],
    [4, 'verbs', '[]string'],
  ],
  GroupVersionKind: [
    [1, 'group', 'string'],
    [2, 'version', 'string'],
    [3, 'kind', 'string'],
  ],
  MapEntry: [
    [1, 'key', 'string'],
    [2, 'value', 'string'],
  ],
  Unknown: [
    [1, 'typeMeta', 'TypeMeta'],
    [2, 'raw', 'bytes'],
    [3, 'contentEncoding', 'string'],
    [4, 'contentType', 'string'],
  ],
  TypeMeta: [
    [1, 'apiVersion', 'string'],
    [2, 'kind', 'string'],
  ],
};

const magic = Buffer.from('6b387300', 'hex');
type Values = Readonly<Record<string, unknown>>;

/** An API object in its JSON form -> bytes. Its kind and apiVersion say which message it is. */
export const protobuf = (object: object): Buffer => {
  const { apiVersion = 'v1', kind } = object as { apiVersion?: string; kind?: string };
  const raw = message(`${apiVersion}/${kind}`, object as Values);
  return Buffer.concat([magic, message('Unknown', { typeMeta: { apiVersion, kind }, raw })]);
};

const message = (type: string, values: Values): Buffer => {
  const fields = messages[type];
  if (fields === undefined) throw new Error(`no protobuf message for ${type}`);
  return Buffer.concat(fields.flatMap(([number, key, fieldType]) => encodings(number, fieldType, values[key])));
};

const encodings = (number: number, type: string, value: unknown): readonly Buffer[] => {
  if (type.startsWith('[]')) return ((value ?? []) as unknown[]).map((one) => single(number, type.slice(2), one));
  if (type === 'map') {
    const entries = Object.entries((value ?? {}) as Values).sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([key, text]) => single(number, 'MapEntry', { key, value: text }));
  }
  if (!type.endsWith('?')) return [single(number, type, value)];
  return value === undefined || value === null ? [] : [single(number, type.slice(0, -1), value)];
};

/** One occurrence of a field: its number and wire type (0 varint, 2 length and bytes), then the value. */
const single = (number: number, type: string, value: unknown): Buffer => {
  if (type === 'int' || type === 'bool') return Buffer.concat([varint(number * 8), varint(Number(value ?? 0))]);
  const bytes = content(type, value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};

const content = (type: string, value: unknown): Buffer => {
  if (type === 'string') return Buffer.from((value as string | undefined) ?? '');
  if (type === 'bytes') return value as Buffer;
  if (type === 'Quantity') return single(1, 'string', value);
  if (type === 'Verbs') return Buffer.concat(encodings(1, '[]string', value));
  if (type === 'Time') return time(value as string | null | undefined);
  return message(type, (value ?? {}) as Values);
};

/** Seconds and nanoseconds, the latter always 0; no time is an empty message. */
const time = (rfc3339: string | null | undefined): Buffer => {
  if (rfc3339 === undefined || rfc3339 === null) return Buffer.alloc(0);
  return Buffer.concat([single(1, 'int', Date.parse(rfc3339) / 1000), single(2, 'int', 0)]);
};

/** Seven bits a byte, the lowest first. By division: values go beyond 32 bits. */
const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return Buffer.from([...bytes, rest]);
};
