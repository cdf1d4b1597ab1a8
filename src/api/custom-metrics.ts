import type { ApiGroup, MetricList, ReadableBoard } from './api-group.ts';
import { matches, parseLabelSelector, type Requirement, selectorObject, selectorText } from './label-selector.ts';
import { labelSelectorOf } from './list-options.ts';
import { type Metric, type MetricValue, metrics, normalizedResource } from './metrics.ts';
import { quantity, timestamp } from './representation.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';
import { badRequest, metricNotFound, noSuchResource } from './status.ts';

/** custom.metrics.k8s.io (items 1 to 30 of apiservice/CONFORMANCE.md): metrics of one object, or of all that a selector picks. */

const group = 'custom.metrics.k8s.io';

const answer = (board: ReadableBoard, info: RequestInfo): MetricList => {
  const request = info.resource;
  if (request === null || !routed(request.segments)) throw noSuchResource();
  const described = describedNamespace(request);
  if (described.name === '' || described.metric === '') throw badRequest('invalid request path');
  const labelSelector = labelSelectorOf(info.query, described.name);
  const metricLabelSelector = parseLabelSelector(info.query.get('metricLabelSelector') ?? '');
  const { resource, name, metric: metricName, namespace } = described;
  const metric = metrics.find((offered) => offered.resource === resource && offered.name === metricName);
  if (metric === undefined) throw metricNotFound(metricName, resource);
  const reading = name === '*' ? undefined : metric.one(board, namespace, name);
  if (name !== '*' && reading === undefined) throw metricNotFound(metricName, resource, name);
  const all = () => metric.all(board, namespace).filter(({ labels }) => matches(labelSelector, labels));
  const readings = reading === undefined ? all() : [reading];
  const selected = matches(metricLabelSelector, {}) ? readings : []; // our metrics have no labels of their own
  if (name !== '*' && selected.length === 0) {
    throw metricNotFound(metricName, resource, name, selectorText(metricLabelSelector));
  }
  const { version } = request;
  return {
    kind: 'MetricValueList',
    apiVersion: `${group}/${version}`,
    metadata: {},
    items: selected.map((reading) => itemOf(version, metric, namespace, reading, metricLabelSelector)),
  };
};

/** Which numbers of segments have a route: R/N/M, namespaces/NS/R/N/M, namespaces/NS/metrics/M; none of them empty. */
const routed = (segments: readonly string[]): boolean => {
  if (segments.includes('')) return false;
  if (segments.length === 3) return true;
  if (segments[0] !== 'namespaces') return false;
  return segments.length === 5 || (segments.length === 4 && segments[2] === 'metrics');
};

/** `namespaces/NS/metrics/M` describes the namespace itself. */
const describedNamespace = ({ namespace, resource, name, subresource }: ResourceRequest) => {
  if (namespace !== '' && resource === 'metrics') {
    return { namespace: '', resource: 'namespaces', name: name === '' ? '' : namespace, metric: name };
  }
  return { namespace, resource: normalizedResource(resource), name, metric: subresource };
};

/** The versions differ in where they say which metric it is. */
const itemOf = (version: string, metric: Metric, namespace: string, reading: MetricValue, selected: readonly Requirement[]) => {
  const { kind, apiVersion } = metric;
  const describedObject = { kind, namespace, name: reading.name, apiVersion };
  const selector = selectorObject(selected);
  const sample = { timestamp: timestamp(reading.asOf), value: quantity(reading.value) };
  return version === 'v1beta1'
    ? { describedObject, metricName: metric.name, ...sample, selector }
    : { describedObject, metric: { name: metric.name, selector }, ...sample };
};

export const customMetrics: ApiGroup = {
  name: group,
  versions: ['v1beta2', 'v1beta1'],
  kind: 'MetricValueList',
  resources: metrics.map(({ resource, name }) => `${resource}/${name}`),
  isOwn: (request) => {
    const { resource, metric } = describedNamespace(request);
    return metrics.some((offered) => offered.resource === resource && offered.name === metric);
  },
  answer,
};
