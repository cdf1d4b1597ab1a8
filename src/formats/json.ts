export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object: no list and not null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object that a text is in JSON; null where it is no JSON, or another value. */
export const jsonObject = (text: string): JsonObject | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
};

/** The value of a text that is JSON, else the text itself: some refusals are plain text. */
export const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/**
 * JSON whose numbers are kept as they were written: what is made of it by JSON.stringify has the same digits.
 * @throws SyntaxError
 * @example JSON.stringify(exactJson('[12345678901234567890]')) // => '[12345678901234567890]'
 */
export const exactJson = (text: string): unknown =>
  JSON.parse(text, ((_: string, value: unknown, { source }: { readonly source: string }) =>
    typeof value === 'number' ? rawJson.rawJSON(source) : value) as (key: string, value: unknown) => unknown);
const rawJson = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

/** Marks a bare token while JSON is parsed, so that the field it is in can be named. */
const mark = '\u0000';

/**
 * Reads JSON as Python writes it, with bare NaN and Infinity.
 * @param meaning what stands for `NaN`, `Infinity` or `-Infinity`
 * @throws SyntaxError
 * @example pythonJson('[NaN, "NaN"]', () => null) // => [null, 'NaN']
 */
export const pythonJson = (text: string, meaning: (token: string) => unknown): unknown =>
  JSON.parse(
    text.replace(/"(?:[^"\\]|\\.)*"|NaN|-?Infinity/g, (token) => (token.startsWith('"') ? token : JSON.stringify(mark + token))),
    (_, value: unknown) => (typeof value === 'string' && value.startsWith(mark) ? meaning(value.slice(mark.length)) : value),
  );
