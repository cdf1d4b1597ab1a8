import * as z from 'zod/mini';

/** A rule in words: what stands there "must be <words>". */
const must = (words: string) => ({
  error: ({ input }: { readonly input?: unknown }) => `must be ${words}, not ${shown(input)}`,
});

/** Rules for the fields of documents. */
export const number = z.number(must('a number'));
export const amount = z.number(must('a number of at least 0')).check(z.minimum(0, must('a number of at least 0')));
export const positive = z.number(must('a number above 0')).check(z.positive(must('a number above 0')));
export const share = amount.check(z.maximum(1, must('at most 1')));
export const count = z.int(must('a whole number of at least 0')).check(z.minimum(0, must('a whole number of at least 0')));
export const countFromOne = count.check(z.minimum(1, must('at least 1')));
export const text = z.string(must('a text')).check(z.minLength(1, must('a text')));
/** `http://10.0.0.7:8000` */
export const origin = z
  .string(must('an origin such as http://10.0.0.7:8000'))
  .check(
    z.refine((url) => URL.parse(url)?.origin === url && /^https?:/.test(url), must('an origin such as http://10.0.0.7:8000')),
  );
export const instant = z
  .string(must('a time such as 2026-11-25T00:00:00Z'))
  .check(z.refine((time) => !Number.isNaN(Date.parse(time)), must('a time such as 2026-11-25T00:00:00Z')));
/** Counts by name. */
export const counts = z.record(z.string(), count);
export const oneOf = <const Values extends readonly string[]>(values: Values) =>
  z.enum(values, must(`one of ${values.join(', ')}`));

/**
 * Reads a document by its schema.
 * @returns what it holds, or each thing that is wrong with it, after the path of its field: `models[0].name: must be a text, not
 * 7`
 */
export const checked = <Schema extends z.ZodMiniType>(
  schema: Schema,
  document: unknown,
): { readonly document: z.output<Schema> } | { readonly problems: readonly string[] } => {
  const result = z.safeParse(schema, document, { error: mismatch });
  if (result.success) return { document: result.data };
  return {
    problems: result.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `${pathText([...issue.path, key])}: unknown field`)
        : issue.path.length === 0
          ? issue.message
          : `${pathText(issue.path)}: ${issue.message}`,
    ),
  };
};

/** The same where a document that breaks its format is a failure. @param fail throws what is wrong first */
export const readDocument = <Schema extends z.ZodMiniType>(
  schema: Schema,
  document: unknown,
  fail: (what: string) => never,
): z.output<Schema> => {
  const read = checked(schema, document);
  return 'problems' in read ? fail(read.problems[0]!) : read.document;
};

/** What is wrong with a field whose own rule does not say. */
const mismatch: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'too_small') return `must have at least ${issue.minimum} entries`;
  if (issue.code === 'too_big') return `must have at most ${issue.maximum} entries`;
  const expected = issue.code === 'invalid_type' ? issue.expected : issue.code;
  return `must be ${kinds[expected] ?? expected}, not ${shown(issue.input)}`;
};

const kinds: Readonly<Record<string, string>> = {
  object: 'an object',
  record: 'an object',
  array: 'a list',
  tuple: 'a list',
};

/** `['models', 0, 'name']` as `models[0].name`. */
const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');

const shown = (value: unknown): string =>
  value === undefined ? 'missing' : Number.isNaN(value) ? 'NaN' : JSON.stringify(value).slice(0, 40);
