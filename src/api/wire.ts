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

const forms: readonly [RegExp, Field['form']][] = [
  [/^\[\](.*)$/, 'repeated'],
  [/^(.*)\?$/, 'optional'],
  [/^(map)$/, 'map'],
];

/**
 * Fields in short: number, key of the JSON form, type where it is not a string.
 * @example fields('1 name, 2 count int?') // => [{ number: 1, key: 'name', type: 'string', form: 'always' }, { number: 2, key: 'count', type: 'int', form: 'optional' }]
 */
export const fields = (text: string): readonly Field[] =>
  text.split(',').map((part) => {
    const [number, key = '', written = 'string'] = part.trim().split(' ');
    const [pattern, form] = forms.find(([candidate]) => candidate.test(written)) ?? [/(.*)/, 'always' as const];
    return { number: Number(number), key, type: pattern.exec(written)?.[1] ?? '', form };
  });

/** The bytes of one message. */
export const message = (messages: Messages, type: string, values: object): Buffer => {
  const writer = new BackwardWriter();
  writeMessage(writer, messages, type, values as Values);
  return writer.written();
};

/**
 * A message is preceded by its length, so it is written from its end: then the length is known when its turn comes, and
 * nothing is copied.
 */
class BackwardWriter {
  #buffer = Buffer.allocUnsafe(1024);
  #start = 1024;

  /** Bytes written so far. */
  get length(): number {
    return this.#buffer.length - this.#start;
  }

  written(): Buffer {
    return this.#buffer.subarray(this.#start);
  }

  text(text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(length);
    this.#buffer.write(text, this.#start, length);
  }

  bytes(bytes: Buffer): void {
    this.#reserve(bytes.length);
    bytes.copy(this.#buffer, this.#start);
  }

  /** Seven bits a byte, the lowest first, so the highest is written first. By division: values go beyond 32 bits. */
  varint(value: number): void {
    const more = value >= 0x80;
    if (more) this.varint(Math.floor(value / 0x80));
    this.#reserve(1);
    this.#buffer[this.#start] = (value % 0x80) + (more ? 0x80 : 0);
  }

  #reserve(length: number): void {
    if (this.#start < length) {
      const larger = Buffer.allocUnsafe(2 * (this.#buffer.length + length));
      const start = larger.length - this.length;
      this.#buffer.copy(larger, start, this.#start);
      this.#buffer = larger;
      this.#start = start;
    }
    this.#start -= length;
  }
}

const writeMessage = (writer: BackwardWriter, messages: Messages, type: string, values: Values): void => {
  const known = messages[type];
  if (known === undefined) throw new Error(`no protobuf message for ${type}`);
  for (let index = known.length - 1; index >= 0; index -= 1) {
    const field = known[index]!;
    writeField(writer, messages, field, values[field.key]);
  }
};

const writeField = (writer: BackwardWriter, messages: Messages, field: Field, value: unknown): void => {
  if (field.form === 'always') writeOne(writer, messages, field.number, field.type, value);
  else if (value === undefined || value === null) return;
  else if (field.form === 'optional') writeOne(writer, messages, field.number, field.type, value);
  else if (field.form === 'repeated') {
    for (const item of (value as unknown[]).toReversed()) writeOne(writer, messages, field.number, field.type, item);
  } else {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? 1 : -1));
    for (const [key, text] of entries) writeOne(writer, mapEntry, field.number, 'Entry', { key, value: text });
  }
};
const mapEntry: Messages = { Entry: fields('1 key, 2 value') };

/** One occurrence of a field, last part first: the value, then number and wire type (0 varint, 2 length and bytes). */
const writeOne = (writer: BackwardWriter, messages: Messages, number: number, type: string, value: unknown): void => {
  if (type === 'int' || type === 'bool') {
    writer.varint(Number(value ?? 0));
    writer.varint(number * 8);
    return;
  }
  const before = writer.length;
  if (type === 'string') writer.text((value as string | undefined) ?? '');
  else if (type === 'bytes') writer.bytes(value as Buffer);
  else writeMessage(writer, messages, type, inMessageForm(type, value));
  writer.varint(writer.length - before);
  writer.varint(number * 8 + 2);
};

/** Kubernetes' times, quantities and verbs are plain in JSON and messages here. */
const inMessageForm = (type: string, value: unknown): Values => {
  if (type === 'Time') return { seconds: Date.parse(value as string) / 1000, nanos: 0 };
  if (type === 'Quantity') return { string: value };
  if (type === 'Verbs') return { items: value };
  return (value ?? {}) as Values;
};
