/** Fails where the documents, or the scripts in hack/, name a file or folder of this project that does not exist. */
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folders = ['src', 'test', 'hack', 'manifests', 'charts', 'plugin', 'profiles'];
const inside = folders.flatMap((folder) => globSync(`${folder}/**`, { cwd: root }));
const known = new Set([...inside, ...inside.map((path) => path.replace(/^src\//, '')), ...inside.map((path) => basename(path))]);

/** From the project's root, wherever it stands in a text. */
const whole = new RegExp(`(?<![\\w./{}-])(?:${folders.join('|')})/[\\w./-]*\\w`, 'g');
/** A source file in backticks, from the root, from src/, or by its bare name. */
const quoted = /(?<=`)[\w./-]+\.ts(?=`)/g;

const readers = globSync(['*.md', 'docs/**/*.md', 'hack/*.ts'], { cwd: root });
const dead = readers.flatMap((file) =>
  readFileSync(join(root, file), 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      [...(line.match(whole) ?? []), ...(line.match(quoted) ?? [])]
        .filter((path) => !known.has(path))
        .map((path) => `${file}:${index + 1}: ${path}`),
    ),
);
for (const one of new Set(dead)) console.error(`${one} does not exist`);
if (dead.length > 0) process.exitCode = 1;
