import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Keeps a table beside the benches, and puts it between the markers of that name in docs/benchmarks.md. */
export const publish = (name: string, table: string): void => {
  writeFileSync(join(import.meta.dirname, `${name}.md`), `${table}\n`);
  const page = join(import.meta.dirname, '../../docs/benchmarks.md');
  if (!existsSync(page)) return;
  const text = readFileSync(page, 'utf8');
  const marked = new RegExp(`(<!-- bench ${name} -->\\n)[\\s\\S]*?(\\n<!-- /bench ${name} -->)`);
  if (marked.test(text))
    writeFileSync(
      page,
      text.replace(marked, (_, open, close) => `${open}${table}${close}`),
    );
};
