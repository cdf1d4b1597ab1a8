import { PbfWriter } from 'pbf';

/**
 * Writes protobuf from values in their JSON form, by a table of messages. Fields go in order of number. `?`: only when
 * set; `[]`: repeated; `map`: strings to strings, sorted; all else is written also when empty or zero, as gogo does.
 */

interface Field {
  readonly number: number;
  readonly key: string;
  readonly type: string;
  readonly form: 'always' | 'optional' | 'repeated' | 'map';
}
export type Messages = Readonly<Record<string, readonly Field[]>>;
type Values = Readonly<Record<string, unknown>>;

/**
 * Fields in short: number, key of the JSON form, type where it is not a string.
 * @example fields('1 name') // => [{ number: 1, key: 'name', type: 'string', form: 'always' }]
 * @example fields('2 count int?') // => [{ number: 2, key: 'count', type: 'int', form: 'optional' }]
 */
export const fields = (text: string): readonly Field[] =>
  text.split(',').map((part) => {
    const [number, key = '', written = 'string'] = part.trim().split(' ');
    const [, repeated, type = '', optional] = /^(\[\])?(\w+)(\?)?$/.exec(written) ?? [];
    const form = type === 'map' ? 'map' : repeated ? 'repeated' : optional ? 'optional' : 'always';
    return { number: Number(number), key, type, form };
  });

/** The bytes of one message. */
export const message = (messages: Messages, type: string, values: object): Buffer => {
  const writer = new PbfWriter();
  writeMessage(writer, messages, type, values as Values);
  const { buffer, byteOffset, length } = writer.finish();
  return Buffer.from(buffer, byteOffset, length);
};

const writeMessage = (writer: PbfWriter, messages: Messages, type: string, values: Values): void => {
  const described = messages[type];
  if (described === undefined) throw new Error(`no protobuf message for ${type}`);
  for (const { number, key, type: fieldType, form } of described) {
    const value = values[key];
    if (form === 'always') writeOne(writer, messages, number, fieldType, value);
    else if (value === undefined || value === null) continue;
    else if (form === 'optional') writeOne(writer, messages, number, fieldType, value);
    else if (form === 'repeated') for (const item of value as unknown[]) writeOne(writer, messages, number, fieldType, item);
    else {
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [name, text] of entries) writeOne(writer, mapEntry, number, 'Entry', { key: name, value: text });
    }
  }
};
const mapEntry: Messages = { Entry: fields('1 key, 2 value') };

/** One occurrence of a field. */
const writeOne = (writer: PbfWriter, messages: Messages, number: number, type: string, value: unknown): void => {
  if (type === 'int' || type === 'bool') writer.writeVarintField(number, Number(value ?? 0));
  else if (type === 'string') writer.writeStringField(number, (value as string | undefined) ?? '');
  else if (type === 'bytes') writer.writeBytesField(number, value as Buffer);
  else writer.writeMessage(number, (form) => writeMessage(writer, messages, type, form), inMessageForm(type, value));
};

/** Kubernetes' times, quantities and verbs are plain in JSON and messages here. */
const inMessageForm = (type: string, value: unknown): Values => {
  if (type === 'Time') return { seconds: Date.parse(value as string) / 1000, nanos: 0 };
  if (type === 'Quantity') return { string: value };
  if (type === 'Verbs') return { items: value };
  return (value ?? {}) as Values;
};
