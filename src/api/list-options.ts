import { type Labels, matches, parseLabelSelector, type Requirement } from './label-selector.ts';
import { isTrue } from './request-info.ts';
import { badRequest, StatusError } from './status.ts';

/** What the query of a metric request asks for. */
export interface ListOptions {
  /** On the labels of the object. */
  readonly labelSelector: readonly Requirement[];
  /** On the labels of the metric; ours carry none. */
  readonly metricLabelSelector: readonly Requirement[];
}

/** Reads and checks the query of a request for the object `name`; parameters that have no effect are checked all the same. Throws a 400. */
export const listOptions = (query: URLSearchParams, name: string): ListOptions => {
  checkInteger(query.get('timeoutSeconds'));
  checkInteger(query.get('limit'));
  const labelSelector = parseLabelSelector(query.get('labelSelector') ?? '');
  checkFieldSelector(query.get('fieldSelector') ?? '', name);
  return { labelSelector, metricLabelSelector: parseLabelSelector(query.get('metricLabelSelector') ?? '') };
};

/** The same for external metrics, where selectors are on the labels of the metric, and nothing can be watched. */
export const externalListOptions = (query: URLSearchParams): Pick<ListOptions, 'labelSelector'> => {
  const { labelSelector } = listOptions(withoutMetricSelector(query), '');
  if (isTrue(query.get('watch'))) throw notWatched();
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '') checkVersionMatch(match, query.get('resourceVersion') ?? '');
  if (query.has('sendInitialEvents')) {
    throw invalidOption('sendInitialEvents', 'Forbidden: sendInitialEvents is forbidden for list', 'FieldValueForbidden');
  }
  return { labelSelector };
};

const withoutMetricSelector = (query: URLSearchParams): URLSearchParams => {
  const copy = new URLSearchParams(query);
  copy.delete('metricLabelSelector');
  return copy;
};

const checkVersionMatch = (match: string, resourceVersion: string): void => {
  const field = 'resourceVersionMatch';
  if (resourceVersion === '') {
    const problem = 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided';
    throw invalidOption(field, problem, 'FieldValueForbidden');
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    const problem = `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`;
    throw invalidOption(field, problem, 'FieldValueNotSupported');
  }
};

const invalidOption = (field: string, problem: string, reason: string): StatusError =>
  new StatusError(422, 'Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: ${problem}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes: [{ reason, message: problem, field }],
  });

const notWatched = (): StatusError => {
  const message = 'watch is not supported on resources of kind "*.external.metrics.k8s.io"';
  return new StatusError(405, 'MethodNotAllowed', message, { group: 'external.metrics.k8s.io', kind: '*' });
};

/** Whether a metric without labels of its own is selected. */
export const selectsBareMetric = (selector: readonly Requirement[]): boolean => matches(selector, noLabels);
const noLabels: Labels = {};

const largest = 2n ** 63n;
const checkInteger = (text: string | null): void => {
  if (text === null) return;
  const problem = /^[+-]?\d+$/.test(text) ? rangeProblem(BigInt(text)) : 'invalid syntax';
  if (problem !== '') throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${problem}`);
};
const rangeProblem = (value: bigint): string => (value >= largest || value < -largest ? 'value out of range' : '');

/** Objects have no fields but their name and namespace, and a single object must be the one that the path names. */
const checkFieldSelector = (text: string, name: string): void => {
  const terms = text.split(',').filter((term) => term !== '');
  const exactNames: string[] = [];
  for (const term of terms) {
    const [, key, operator, value] = /^([^=!]*)(!=|==?)(.*)$/.exec(term) ?? [];
    if (key === undefined) {
      throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    }
    if (key !== 'metadata.name' && key !== 'metadata.namespace') {
      const known = 'only "metadata.name", "metadata.namespace"';
      throw badRequest(`${JSON.stringify(key)} is not a known field selector: ${known}`);
    }
    if (key === 'metadata.name' && operator !== '!=') exactNames.push(value ?? '');
  }
  if (terms.length > 0 && name !== '' && exactNames[0] !== name) {
    throw badRequest("fieldSelector metadata.name doesn't match requested name");
  }
};

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };
const longest = 60_000;

/** Milliseconds that a request may take: `?timeout=`, a Go duration such as `1m30s`; at most and by default a minute. */
export const deadlineMilliseconds = (query: URLSearchParams): number => {
  const text = query.get('timeout');
  if (text === null) return longest;
  const [, sign, parts = ''] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text) ?? [];
  if (sign === undefined) {
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  }
  const amounts = [...parts.matchAll(/([\d.]+)([^\d.]+)/g)];
  const total = amounts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
  if (sign === '-' && total > 0) return 0;
  return total === 0 ? longest : Math.min(total, longest);
};
