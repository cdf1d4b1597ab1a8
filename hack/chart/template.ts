import { stringify } from 'yaml';
import { Either, isFields, type Node, When } from './conditional.ts';

/** Text that stands in a template as it is: an action of Helm's, or several lines of them. */
export const verbatim = (text: string): string => `\u0000${text}`;

/** A Kubernetes object as a template of Helm's. @throws Error where a whole object depends on a condition */
export const template = (object: Node): string => lines(object, '').join('\n');

const lines = (node: Node, indent: string): readonly string[] => {
  if (Array.isArray(node)) return (node as readonly Node[]).flatMap((item) => itemLines(item, indent));
  if (isFields(node)) return Object.entries(node).flatMap(([key, value]) => fieldLines(key, value, indent));
  throw new Error(`no template for ${JSON.stringify(node)}`);
};

const guarded = (condition: string, inner: readonly string[]): readonly string[] => [
  `{{- if ${condition} }}`,
  ...inner,
  '{{- end }}',
];

const fieldLines = (key: string, value: Node, indent: string): readonly string[] => {
  if (value instanceof When) return guarded(value.condition, fieldLines(key, value.value, indent));
  if (value instanceof Either)
    return [
      `{{- if ${value.condition} }}`,
      ...fieldLines(key, value.wanted, indent),
      '{{- else }}',
      ...fieldLines(key, value.otherwise, indent),
      '{{- end }}',
    ];
  if (Array.isArray(value) && value.length > 0) return listLines(key, value, indent);
  if (isFields(value) && Object.keys(value).length > 0) return [`${indent}${quoted(key)}:`, ...lines(value, `${indent}  `)];
  return [`${indent}${quoted(key)}: ${scalar(value)}`];
};

/** A list all of whose items depend on conditions is there where one of them holds. */
const listLines = (key: string, items: readonly Node[], indent: string): readonly string[] => {
  const conditions = items.flatMap((item) => (item instanceof When ? [item.condition] : []));
  const whole = [`${indent}${quoted(key)}:`, ...lines(items, indent)];
  if (conditions.length < items.length) return whole;
  const distinct = [...new Set(conditions)];
  return guarded(distinct.length === 1 ? distinct[0]! : `or ${distinct.map((one) => `(${one})`).join(' ')}`, whole);
};

const itemLines = (item: Node, indent: string): readonly string[] => {
  if (item instanceof When) return guarded(item.condition, itemLines(item.value, indent));
  if (typeof item === 'string' && item.startsWith('\u0000')) return item.slice(1).split('\n');
  if (!isFields(item)) return [`${indent}- ${scalar(item)}`];
  const inner = lines(item, `${indent}  `);
  const first = inner.findIndex((line) => !line.startsWith('{{'));
  if (first !== 0) throw new Error(`the first field of an item depends on a condition: ${JSON.stringify(item)}`);
  return [`${indent}- ${inner[0]!.slice(indent.length + 2)}`, ...inner.slice(1)];
};

const scalar = (value: Node): string => {
  if (typeof value === 'string' && value.startsWith('\u0000')) return value.slice(1);
  if (typeof value === 'string' && value.includes('{{')) return JSON.stringify(value);
  return stringify(value, { lineWidth: 0 }).trimEnd();
};
const quoted = (key: string): string => stringify(key, { lineWidth: 0 }).trimEnd();
