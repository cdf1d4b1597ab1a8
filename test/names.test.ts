import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const source = resolve(import.meta.dirname, '../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
/** What a file declares for others; a re-export (`export { … } from`) declares nothing. */
const declarations =
  /^export (?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|interface|type|enum|const|let) ([A-Za-z_$][\w$]*)/gm;
const declared = files.flatMap((file) =>
  [...new Set([...readFileSync(join(source, file), 'utf8').matchAll(declarations)].map(([, name]) => name!))].map((name) => ({
    name,
    file,
  })),
);

test('no exported name is declared in two files: one word, one meaning', () => {
  const twice = [...Map.groupBy(declared, ({ name }) => name)].filter(([, places]) => places.length > 1);
  expect(twice.map(([name, places]) => `${name}: ${places.map(({ file }) => file).join(', ')}`)).toEqual([]);
});

test('a test is named after the file that it tests, `file.test.ts` or `file.aspect.test.ts`, and lies where that lies', () => {
  const root = resolve(source, '..');
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\/.*\.test\.ts$/.test(path),
  );
  const tested = (path: string): string =>
    join(root, path.startsWith('hack/') ? '' : 'src', path.replace(/\.([\w-]+\.)?test\.ts$/, '.ts'));
  expect(tests.length).toBeGreaterThan(100);
  expect(tests.filter((path) => !existsSync(tested(path)))).toEqual([]);
});
