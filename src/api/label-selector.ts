import { badRequest } from './status.ts';

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
 * Reads a selector by Kubernetes' grammar (apimachinery, pkg/labels/selector.go), with its messages: `k`, `!k`, `k=v`,
 * `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, `k>1`, `k<1`, joined by commas. Throws a 400 for anything else.
 */
export const parseLabelSelector = (text: string): readonly Requirement[] => {
  if (text === '') return everything;
  const tokens = [...lexed(text)];
  let at = 0;
  const end = { kind: 'end', text: '' } as const;
  const ahead = (): Token => tokens[at] ?? end;
  const take = (): Token => tokens[at++] ?? end;

  /** `in` and `notin` are words like any other except where an operator is due. */
  const isWord = (token: Token): boolean => token.kind === 'word';
  const fail = (token: Token, expected: string): never => {
    throw new Error(`found '${token.text}'${expected}`);
  };

  const values = (): readonly string[] => {
    const open = take();
    if (open.text !== '(' || open.kind !== 'symbol') fail(open, " expected: '('");
    const found = new Set<string>();
    let last = '';
    for (;;) {
      const token = take();
      if (isWord(token)) {
        if (isWord(ahead())) fail(ahead(), ", expected: ',' or ')'");
        found.add(token.text);
      } else if (token.text === ',' || token.text === ')') {
        if (last !== 'word') found.add(''); // `(`, `,` or nothing before it: an empty value
        if (token.text === ')') return [...found];
      } else {
        fail(token, ", expected: ',', or identifier");
      }
      last = token.kind;
    }
  };
  const exactValue = (): readonly string[] => {
    const token = ahead();
    if (token.kind === 'end' || token.text === ',') return [''];
    if (!isWord(token)) fail(token, ', expected: identifier');
    return [take().text];
  };
  const requirement = (): Requirement => {
    const negated = ahead().text === '!';
    if (negated) take();
    const key = take();
    if (!isWord(key)) fail(key, ', expected: identifier');
    checkKey(key.text);
    const next = ahead();
    if (next.kind === 'end' || next.text === ',') {
      return { key: key.text, operator: negated ? 'absent' : 'exists', values: [] };
    }
    const operator = binaryOperators.get(take().text);
    if (operator === undefined) return fail(next, ', expected: in, notin, =, ==, !=, gt, lt');
    const chosen = operator === 'in' || operator === 'notin' ? values() : exactValue();
    checkValues(key.text, operator, chosen);
    return { key: key.text, operator, values: chosen };
  };

  const requirements: Requirement[] = [];
  try {
    for (;;) {
      const token = ahead();
      if (token.kind === 'end') return requirements;
      if (!isWord(token) && token.text !== '!') fail(token, ", expected: !, identifier, or 'end of string'");
      requirements.push(prefixed(requirement));
      const separator = take();
      if (separator.kind === 'end') return requirements;
      if (separator.text !== ',') fail(separator, ", expected: ',' or 'end of string'");
      const after = ahead();
      if (!isWord(after) && after.text !== '!') fail(after, ", expected: identifier after ','");
    }
  } catch (error) {
    throw badRequest((error as Error).message);
  }
};

const everything: readonly Requirement[] = [];

const prefixed = (read: () => Requirement): Requirement => {
  try {
    return read();
  } catch (error) {
    throw new Error(`unable to parse requirement: ${(error as Error).message}`);
  }
};

interface Token {
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
}
const binaryOperators = new Map<string, Requirement['operator']>([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '='],
  ['!=', '!='],
  ['>', '>'],
  ['<', '<'],
]);

const lexed = function* (text: string): Generator<Token> {
  for (const [token, word] of text.matchAll(/([^=!(),><\s]+)|==|!=|[=!(),><]/g)) {
    yield { kind: word === undefined ? 'symbol' : 'word', text: token };
  }
};

const namePart = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const dnsPart = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

const checkKey = (key: string): void => {
  const [name = '', prefix, ...rest] = key.split('/').reverse();
  const valid =
    rest.length === 0 &&
    name.length <= 63 &&
    namePart.test(name) &&
    (prefix === undefined || (prefix.length <= 253 && dnsPart.test(prefix)));
  if (!valid) throw new Error(`key: Invalid value: ${JSON.stringify(key)}: not a qualified label name`);
};
const checkValues = (key: string, operator: Requirement['operator'], values: readonly string[]): void => {
  for (const [index, value] of values.entries()) {
    const where = `values[${index}]${operator === '>' || operator === '<' ? '' : `[${key}]`}: Invalid value`;
    if ((operator === '>' || operator === '<') && !isInteger(value)) {
      throw new Error(`${where}: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`);
    }
    if (value !== '' && (value.length > 63 || !namePart.test(value))) {
      throw new Error(`${where}: ${JSON.stringify(value)}: not a valid label value`);
    }
  }
};
