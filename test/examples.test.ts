import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .sort();

/** What doc comments say, without their frame of stars. */
const commentsOf = (code: string): string[] =>
  [...code.matchAll(/\/\*\*([\s\S]*?)\*\//g)].map(([, inner]) => inner!.replace(/^\s*\* ?/gm, ''));
/** What follows each `@example`, up to the next tag or the comment's end. */
const examplesIn = (comment: string): string[] =>
  comment
    .split('@example')
    .slice(1)
    .map((rest) => rest.replace(/^@[\s\S]*/m, '').trim());

const examples = files.flatMap((file) =>
  commentsOf(readFileSync(join(source, file), 'utf8'))
    .flatMap(examplesIn)
    .map((example) => ({ file, example })),
);

/** Each line `EXPRESSION // => VALUE` becomes a comparison; other lines run as they stand. */
const statementsOf = (example: string): string =>
  example
    .split('\n')
    .map((line) => line.replace(/^(.*) \/\/ => (.*)$/, 'compare($1, $2);').replace(/([^;])$/, '$1;'))
    .join('\n');

const compare = (actual: unknown, expected: unknown): void => {
  if (typeof expected === 'number') expect(actual).toBeCloseTo(expected, 9);
  else expect(actual).toEqual(expected);
};

test.each(examples)('the example in $file holds: $example', async ({ file, example }) => {
  expect(example).toContain(' // => ');
  const exported: Record<string, unknown> = await import(join(source, file));
  const run = new Function('compare', ...Object.keys(exported), statementsOf(example));
  run(compare, ...Object.values(exported));
});
