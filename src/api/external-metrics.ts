import type { Target } from '../vocabulary/target.ts';
import type { ApiGroup, MetricList, ReadableBoard } from './api-group.ts';
import { type Labels, matches } from './label-selector.ts';
import { externalLabelSelectorOf } from './list-options.ts';
import { centi } from './metrics.ts';
import { quantity, timestamp } from './representation.ts';
import type { RequestInfo } from './request-info.ts';
import { noSuchResource, unavailable } from './status.ts';

/**
 * external.metrics.k8s.io: the same targets for those who do not read metrics of objects. `gpumix_target_replicas`, with
 * selector `deployment=NAME`, is the number of replicas (HPA, KEDA); `gpumix-NAME`, which AIBrix's PodAutoscaler reads
 * without a selector, is half a replica below that in hundredths, so that no tolerance rounds it away.
 */
const name = 'external.metrics.k8s.io';
const version = 'v1beta1';
const shared = 'gpumix_target_replicas';
const ownPrefix = 'gpumix-';

interface Reading {
  readonly target: Target;
  readonly labels: Labels;
  readonly value: (replicas: number) => number;
}

const answer = (board: ReadableBoard, { query, resource: request }: RequestInfo): MetricList => {
  const [first, namespace = '', metric = ''] = request?.segments ?? [];
  if (request?.segments.length !== 3 || first !== 'namespaces' || namespace === '' || metric === '') {
    throw noSuchResource();
  }
  const labelSelector = externalLabelSelectorOf(query);
  const selected = readings(board, namespace, metric).filter(({ labels }) => matches(labelSelector, labels));
  return {
    kind: 'ExternalMetricValueList',
    apiVersion: `${name}/${version}`,
    metadata: {},
    items: selected.map((reading) => item(metric, reading)),
  };
};

const readings = (board: ReadableBoard, namespace: string, metric: string): readonly Reading[] => {
  if (metric === shared) {
    const labelled = (target: Target) => ({ target, labels: { deployment: target.deployment } });
    return board.targets(namespace).map((target) => ({ ...labelled(target), value: (replicas) => replicas }));
  }
  const target = metric.startsWith(ownPrefix) ? board.target(namespace, metric.slice(ownPrefix.length)) : undefined;
  return target === undefined ? [] : [{ target, labels: {}, value: centi }];
};

/** Readers add the items up: one that is not decided must fail them all, or the sum would be too low. */
const item = (metricName: string, { target, labels, value }: Reading) => {
  const { decision, deployment } = target;
  if ('unavailable' in decision) throw unavailable(`${deployment}: ${decision.unavailable}`);
  return {
    metricName,
    metricLabels: labels,
    timestamp: timestamp(decision.asOf),
    value: quantity(value(decision.replicas)),
  };
};

export const externalMetrics: ApiGroup = {
  name,
  versions: [version],
  kind: 'ExternalMetricValueList',
  resources: [shared],
  isOwn: ({ resource }) => resource === shared || resource.startsWith(ownPrefix),
  answer,
};
