import { badRequest, type StatusError } from './status.ts';

/** One requirement of a label selector. `exists` and `absent` have no values, all operators but `in` and `notin` one. */
export interface Requirement {
  readonly key: string;
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | 'absent' | '>' | '<';
  readonly values: readonly string[];
}
export type Labels = Readonly<Record<string, string>>;

/** Whether `labels` meet every requirement. Objects without the key meet `!=`, `notin` and `absent`. */
export const matches = (selector: readonly Requirement[], labels: Labels): boolean =>
  selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (operator === 'absent') return value === undefined;
    if (operator === '!=' || operator === 'notin') return value === undefined || !values.includes(value);
    if (value === undefined) return false;
    if (operator === 'exists') return true;
    if (operator === '>' || operator === '<') return compare(value, values[0] ?? '', operator);
    return values.includes(value);
  });

const isInteger = (text: string): boolean => /^[+-]?\d{1,19}$/.test(text);
const compare = (value: string, limit: string, operator: '>' | '<'): boolean => {
  if (!isInteger(value) || !isInteger(limit)) return false;
  return operator === '>' ? BigInt(value) > BigInt(limit) : BigInt(value) < BigInt(limit);
};

/** The canonical text: requirements in order of key, the values of a set sorted. */
export const selectorText = (selector: readonly Requirement[]): string =>
  [...selector]
    .sort((a, b) => order(a.key, b.key))
    .map(({ key, operator, values }) => {
      if (operator === 'exists') return key;
      if (operator === 'absent') return `!${key}`;
      if (operator === 'in' || operator === 'notin') return `${key} ${operator} (${[...values].sort(order).join(',')})`;
      return `${key}${operator}${values[0]}`;
    })
    .join(',');
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The requirements as Kubernetes' objects carry them, in order of key. */
export const selectorRequirements = (selector: readonly Requirement[]) =>
  [...selector]
    .sort((a, b) => order(a.key, b.key))
    .map(({ key, operator, values }) => ({
      key,
      operator: operatorNames[operator],
      ...(values.length === 0 ? {} : { values: [...values].sort(order) }),
    }));

/** The LabelSelector object that an answer echoes; null for an empty selector. */
export const selectorObject = (selector: readonly Requirement[]) => {
  if (selector.length === 0) return null;
  const labels = selector.filter(({ operator }) => operator === '=').map(({ key, values }) => [key, values[0] ?? '']);
  const expressions = selectorRequirements(selector.filter(({ operator }) => operator !== '='));
  return {
    ...(labels.length === 0 ? {} : { matchLabels: Object.fromEntries(labels.sort()) as Labels }),
    ...(expressions.length === 0 ? {} : { matchExpressions: expressions }),
  };
};
const operatorNames: Record<Requirement['operator'], string> = {
  '=': 'In',
  '!=': 'NotIn', // the same set of objects, and LabelSelector has no other word for it
  in: 'In',
  notin: 'NotIn',
  exists: 'Exists',
  absent: 'DoesNotExist',
  '>': 'Gt',
  '<': 'Lt',
};

/**
 * One requirement and what ends it: the key, then nothing, an operator and a value, or `in` and its values. Linear: no two
 * `\s*` meet.
 */
const word = String.raw`[^=!(),><\s]+`;
const requirementPattern = new RegExp(
  String.raw`\s*(?:(?<absent>!)\s*)?(?<key>${word})(?=[=!(),><\s]|$)` +
    String.raw`(?:\s*(?<comparison>==?|!=|[><])(?:\s*(?<value>${word}))?|\s*(?<membership>in|notin)\s*\((?<values>[^=!()><]*)\))?` +
    String.raw`\s*(?:,|(?<last>$))`,
  'y',
);

/**
 * Reads a selector by Kubernetes' grammar (apimachinery, pkg/labels/selector.go): `k`, `!k`, `k=v`, `k==v`, `k!=v`,
 * `k in (a,b)`, `k notin (a,b)`, `k>1`, `k<1`, joined by commas. Throws a 400 for anything else.
 */
export const parseLabelSelector = (text: string): readonly Requirement[] => {
  const requirements: Requirement[] = [];
  if (text.trim() === '') return requirements;
  requirementPattern.lastIndex = 0;
  for (let last = false; !last; ) {
    const start = requirementPattern.lastIndex;
    const found = requirementPattern.exec(text)?.groups;
    if (found === undefined) throw notASelector(`${JSON.stringify(text.slice(start))} is no requirement`);
    requirements.push(checked(requirementOf(found)));
    last = found['last'] !== undefined;
  }
  return requirements;
};

type Groups = Readonly<Record<string, string | undefined>>;
const requirementOf = ({ absent, key = '', comparison, value = '', membership, values = '' }: Groups): Requirement => {
  if (comparison !== undefined) {
    const operator = (comparison === '==' ? '=' : comparison) as Requirement['operator'];
    return { key, operator, values: [value] };
  }
  if (membership === undefined) return { key, operator: absent === undefined ? 'exists' : 'absent', values: [] };
  const distinct = new Set(values.split(',').map((value) => value.trim()));
  return { key, operator: membership as Requirement['operator'], values: [...distinct] };
};

const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const dnsPart = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const isLabelKey = (key: string): boolean => {
  const [name = '', prefix, ...rest] = key.split('/').reverse();
  const isPrefix = prefix === undefined || (prefix.length <= 253 && dnsPart.test(prefix));
  return rest.length === 0 && name.length <= 63 && namePart.test(name) && isPrefix;
};
const isLabelValue = (value: string): boolean => value === '' || (value.length <= 63 && namePart.test(value));

const checked = (requirement: Requirement): Requirement => {
  const { key, operator, values } = requirement;
  if (!isLabelKey(key)) throw notASelector(`${JSON.stringify(key)} is no label key`);
  const broken = values.find((value) => !isLabelValue(value));
  if (broken !== undefined) throw notASelector(`${JSON.stringify(broken)} is no label value`);
  if ((operator === '>' || operator === '<') && !values.every(isInteger)) {
    throw notASelector(`${operator} takes an integer`);
  }
  return requirement;
};

const notASelector = (why: string): StatusError => badRequest(`not a label selector: ${why}`);
