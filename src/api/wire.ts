/**
 * Writes protobuf from values in their JSON form, by a table of messages. Fields go in order of number. `?`: only when
 * set; `[]`: repeated; `map`: strings to strings, sorted; all else is written also when empty or zero, as gogo does.
 */

interface Field {
  readonly number: number;
  readonly key: string;
  readonly type: string;
}
export type Messages = Readonly<Record<string, readonly Field[]>>;
export type Values = Readonly<Record<string, unknown>>;

/**
 * Fields in short: number, key of the JSON form, type where it is not a string.
 * @example fields('1 name, 2 count int?') // => [{ number: 1, key: 'name', type: 'string' }, { number: 2, key: 'count', type: 'int?' }]
 */
export const fields = (text: string): readonly Field[] =>
  text.split(',').map((part) => {
    const [number, key = '', type = 'string'] = part.trim().split(' ');
    return { number: Number(number), key, type };
  });

export const message = (messages: Messages, type: string, values: Values): Buffer => {
  const known = messages[type];
  if (known === undefined) throw new Error(`no protobuf message for ${type}`);
  return Buffer.concat(known.flatMap(({ number, key, type }) => occurrences(messages, number, type, values[key])));
};

const occurrences = (messages: Messages, number: number, type: string, value: unknown): readonly Buffer[] => {
  if (type.startsWith('[]')) {
    return ((value ?? []) as unknown[]).map((one) => single(messages, number, type.slice(2), one));
  }
  if (type === 'map') {
    const entries = Object.entries((value ?? {}) as Values).sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([key, text]) => single(mapEntry, number, 'Entry', { key, value: text }));
  }
  if (!type.endsWith('?')) return [single(messages, number, type, value)];
  return value === undefined || value === null ? [] : [single(messages, number, type.slice(0, -1), value)];
};
const mapEntry: Messages = { Entry: fields('1 key, 2 value') };

/** One occurrence of a field: its number and wire type (0 varint, 2 length and bytes), then the value. */
const single = (messages: Messages, number: number, type: string, value: unknown): Buffer => {
  if (type === 'int' || type === 'bool') return Buffer.concat([varint(number * 8), varint(Number(value ?? 0))]);
  const bytes = content(messages, type, value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};

const content = (messages: Messages, type: string, value: unknown): Buffer => {
  if (type === 'string') return Buffer.from((value as string | undefined) ?? '');
  if (type === 'bytes') return value as Buffer;
  return message(messages, type, (value ?? {}) as Values);
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
