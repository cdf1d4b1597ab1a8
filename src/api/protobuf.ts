import { fields, type Messages, message } from './wire.ts';

/** Kubernetes' protobuf form of what we answer: an envelope that names the type, around proto2. */

const list = (item: string) => fields(`1 metadata ListMeta, 2 items []${item}`);
const apiGroup = fields(
  '1 name, 2 versions []GroupVersion, 3 preferredVersion GroupVersion, 4 serverAddressByClientCIDRs []ServerAddress',
);

const messages: Messages = {
  'custom.metrics.k8s.io/v1beta1/MetricValueList': list('CustomV1beta1'),
  'custom.metrics.k8s.io/v1beta2/MetricValueList': list('CustomV1beta2'),
  'external.metrics.k8s.io/v1beta1/ExternalMetricValueList': list('External'),
  CustomV1beta1: fields(
    '1 describedObject ObjectReference, 2 metricName, 3 timestamp Time?, 4 window int?, 5 value Quantity, 6 selector LabelSelector?',
  ),
  CustomV1beta2: fields(
    '1 describedObject ObjectReference, 2 metric Identifier, 3 timestamp Time?, 4 windowSeconds int?, 5 value Quantity',
  ),
  External: fields('1 metricName, 2 metricLabels map, 3 timestamp Time?, 4 window int?, 5 value Quantity'),
  Identifier: fields('1 name, 2 selector LabelSelector?'),
  ObjectReference: fields('1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath'),
  LabelSelector: fields('1 matchLabels map, 2 matchExpressions []Requirement'),
  Requirement: fields('1 key, 2 operator, 3 values []string'),
  ListMeta: fields('1 selfLink, 2 resourceVersion, 3 continue'),
  Time: fields('1 seconds int, 2 nanos int'),
  Quantity: fields('1 string'),

  'v1/Status': fields('1 metadata ListMeta, 2 status, 3 message, 4 reason, 5 details StatusDetails?, 6 code int'),
  StatusDetails: fields('1 name, 2 group, 3 kind, 4 causes []StatusCause, 5 retryAfterSeconds int, 6 uid'),
  StatusCause: fields('1 reason, 2 message, 3 field'),

  'v1/APIGroupList': fields('1 groups []APIGroup'),
  'v1/APIGroup': apiGroup,
  APIGroup: apiGroup,
  GroupVersion: fields('1 groupVersion, 2 version'),
  ServerAddress: fields('1 clientCIDR, 2 serverAddress'),
  'v1/APIResourceList': fields('1 groupVersion, 2 resources []APIResource'),
  APIResource: fields(
    '1 name, 2 namespaced bool, 3 kind, 4 verbs Verbs, 6 singularName, 8 group, 9 version, 10 storageVersionHash',
  ),
  Verbs: fields('1 items []string'),

  'apidiscovery.k8s.io/v2/APIGroupDiscoveryList': list('GroupDiscovery'),
  GroupDiscovery: fields('1 metadata ObjectMeta, 2 versions []VersionDiscovery'),
  ObjectMeta: fields(
    '1 name, 2 generateName, 3 namespace, 4 selfLink, 5 uid, 6 resourceVersion, 7 generation int, 8 creationTimestamp None',
  ),
  None: [],
  VersionDiscovery: fields('1 version, 2 resources []ResourceDiscovery, 3 freshness'),
  ResourceDiscovery: fields(
    '1 resource, 2 responseKind Kind?, 3 scope, 4 singularResource, 5 verbs []string, 8 subresources []SubresourceDiscovery',
  ),
  SubresourceDiscovery: fields('1 subresource, 2 responseKind Kind?, 4 verbs []string'),
  Kind: fields('1 group, 2 version, 3 kind'),

  Unknown: fields('1 typeMeta TypeMeta, 2 raw bytes, 3 contentEncoding, 4 contentType'),
  TypeMeta: fields('1 apiVersion, 2 kind'),
};

const magic = Buffer.from('6b387300', 'hex');

/** An API object in its JSON form -> bytes. Its kind and apiVersion say which message it is. */
export const protobuf = (object: object): Buffer => {
  const { apiVersion = 'v1', kind } = object as { apiVersion?: string; kind?: string };
  const raw = message(messages, `${apiVersion}/${kind}`, object);
  return Buffer.concat([magic, message(messages, 'Unknown', { typeMeta: { apiVersion, kind }, raw })]);
};
