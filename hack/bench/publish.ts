import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps a table beside the benches, and puts it between the README's markers of that name where it has them. */
export const publish = (name: string, table: string): void => {
  writeFileSync(join(import.meta.dirname, `${name}.md`), `${table}\n`);
  const readme = join(import.meta.dirname, '../../README.md');
  if (!existsSync(readme)) return;
  const text = readFileSync(readme, 'utf8');
  const marked = new RegExp(`(<!-- bench ${name} -->\\n)[\\s\\S]*?(\\n<!-- /bench ${name} -->)`);
  if (marked.test(text))
    writeFileSync(
      readme,
      text.replace(marked, (_, open, close) => `${open}${table}${close}`),
    );
};
