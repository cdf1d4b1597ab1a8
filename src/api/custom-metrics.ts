import type { ApiGroup, Board, MetricList } from './api-group.ts';
import { matches, parseLabelSelector, type Requirement, selectorObject, selectorText } from './label-selector.ts';
import { listedLabels } from './list-options.ts';
import { type Metric, metrics, normalizedResource, type Reading } from './metrics.ts';
import { quantity, timestamp } from './representation.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';
import { badRequest, metricNotFound, noSuchResource } from './status.ts';

/** custom.metrics.k8s.io (metrics-api.md 1 and 2): metrics of one object, or of all that a selector picks. */

const group = 'custom.metrics.k8s.io';
const versions = ['v1beta2', 'v1beta1'] as const; // the preferred one first
type Version = (typeof versions)[number];

const answer = (board: Board, info: RequestInfo): MetricList => {
  const request = info.resource;
  if (request === null || !routed(request.segments)) throw noSuchResource();
  const described = describedNamespace(request);
  if (described.name === '' || described.metric === '') throw badRequest('invalid request path');
  const labelSelector = listedLabels(info.query, described.name);
  const metricLabelSelector = parseLabelSelector(info.query.get('metricLabelSelector') ?? '');
  const { resource, name, metric: metricName, namespace } = described;
  const metric = metrics.find((one) => one.resource === resource && one.name === metricName);
  if (metric === undefined) throw metricNotFound(metricName, resource);
  const readings =
    name === '*'
      ? metric.all(board, namespace).filter(({ labels }) => matches(labelSelector, labels))
      : [known(metric, name, metric.one(board, namespace, name))];
  const selected = matches(metricLabelSelector, {}) ? readings : []; // our metrics have no labels of their own
  if (name !== '*' && selected.length === 0) {
    throw metricNotFound(metricName, resource, name, selectorText(metricLabelSelector));
  }
  const toItem = items[request.version as Version];
  const apiVersion = `${group}/${request.version}`;
  return {
    kind: 'MetricValueList',
    apiVersion,
    metadata: {},
    items: selected.map((reading) => toItem(metric, namespace, reading, metricLabelSelector)),
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

const known = (metric: Metric, name: string, reading: Reading | undefined): Reading => {
  if (reading === undefined) throw metricNotFound(metric.name, metric.resource, name);
  return reading;
};

const describedObject = (metric: Metric, namespace: string, name: string) => ({
  kind: metric.kind,
  namespace,
  name,
  apiVersion: metric.apiVersion,
});

type ToItem = (
  metric: Metric,
  namespace: string,
  reading: Reading,
  selector: readonly Requirement[],
) => { readonly timestamp: string };
const items: Record<Version, ToItem> = {
  v1beta2: (metric, namespace, reading, selector) => ({
    describedObject: describedObject(metric, namespace, reading.name),
    metric: { name: metric.name, selector: selectorObject(selector) },
    timestamp: timestamp(reading.asOf),
    value: quantity(reading.value),
  }),
  v1beta1: (metric, namespace, reading, selector) => ({
    describedObject: describedObject(metric, namespace, reading.name),
    metricName: metric.name,
    timestamp: timestamp(reading.asOf),
    value: quantity(reading.value),
    selector: selectorObject(selector),
  }),
};

export const customMetrics: ApiGroup = {
  name: group,
  versions,
  kind: 'MetricValueList',
  resources: metrics.map(({ resource, name }) => `${resource}/${name}`),
  isOwn: (request) => {
    const { resource, metric } = describedNamespace(request);
    return metrics.some((one) => one.resource === resource && one.name === metric);
  },
  answer,
};
