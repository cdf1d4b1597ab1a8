import { parseLabelSelector, type Requirement } from './label-selector.ts';
import { isTrue } from './request-info.ts';
import { badRequest, StatusError } from './status.ts';

/** The labelSelector of a request for the object `name`. What has no effect is checked all the same. Throws a 400. */
export const labelSelectorOf = (query: URLSearchParams, name: string): readonly Requirement[] => {
  for (const parameter of ['timeoutSeconds', 'limit']) {
    const text = query.get(parameter);
    if (text !== null && !isInt64(text)) throw badRequest(`${parameter} is not an integer: ${JSON.stringify(text)}`);
  }
  const labelSelector = parseLabelSelector(query.get('labelSelector') ?? '');
  checkFieldSelector(query.get('fieldSelector') ?? '', name);
  return labelSelector;
};

/** The same for external metrics, which cannot be watched; also throws a 405 or 422. */
export const externalLabelSelectorOf = (query: URLSearchParams): readonly Requirement[] => {
  const labelSelector = labelSelectorOf(query, '');
  if (isTrue(query.get('watch'))) {
    const details = { group: 'external.metrics.k8s.io', kind: '*' };
    throw new StatusError(405, 'MethodNotAllowed', 'external metrics cannot be watched', details);
  }
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '' && (query.get('resourceVersion') ?? '') === '') {
    throw invalidOption('resourceVersionMatch', 'FieldValueForbidden', 'takes a resourceVersion');
  }
  if (!['', 'Exact', 'NotOlderThan'].includes(match)) {
    throw invalidOption('resourceVersionMatch', 'FieldValueNotSupported', 'is Exact or NotOlderThan');
  }
  if (query.has('sendInitialEvents')) {
    throw invalidOption('sendInitialEvents', 'FieldValueForbidden', 'is not for lists');
  }
  return labelSelector;
};

const invalidOption = (field: string, reason: string, problem: string): StatusError =>
  new StatusError(422, 'Invalid', `${field} ${problem}`, {
    group: 'meta.k8s.io',
    kind: 'ListOptions',
    causes: [{ reason, message: problem, field }],
  });

const isInt64 = (text: string): boolean => /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);

/** Objects have no fields but their name and namespace, and a single object must be the one that the path names. */
const checkFieldSelector = (text: string, name: string): void => {
  const terms = text.split(',').filter((term) => term !== '');
  const exactNames: string[] = [];
  for (const term of terms) {
    const [, key, operator, value = ''] = /^(metadata\.name|metadata\.namespace)(!=|==?)(.*)$/.exec(term) ?? [];
    if (key === undefined) throw badRequest(`fieldSelector: only metadata.name and metadata.namespace: ${term}`);
    if (key === 'metadata.name' && operator !== '!=') exactNames.push(value);
  }
  if (terms.length > 0 && name !== '' && exactNames[0] !== name) {
    throw badRequest('fieldSelector: metadata.name is not the name in the path');
  }
};

const units: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1e3, m: 6e4, h: 3.6e6 };
const longest = 60_000;

/** Milliseconds that a request may take: `?timeout=`, a Go duration such as `1m30s`; at most and by default a minute. */
export const deadlineMilliseconds = (query: URLSearchParams): number => {
  const text = query.get('timeout');
  if (text === null) return longest;
  const [, sign, parts = ''] = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text) ?? [];
  if (sign === undefined) throw badRequest(`timeout is not a duration: ${JSON.stringify(text)}`);
  const amounts = [...parts.matchAll(/([\d.]+)([^\d.]+)/g)];
  const total = amounts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? 0), 0);
  if (sign === '-' && total > 0) return 0;
  return total === 0 ? longest : Math.min(total, longest);
};
