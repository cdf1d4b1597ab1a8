/**
 * Fails where a document links to a file, a folder or a heading of this project that does not exist. Nothing is fetched.
 *
 *   node hack/links.ts
 */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** A text without blocks of code and without comments, with as many lines. */
export const withoutCode = (markdown: string): string =>
  markdown.replace(/^```[\s\S]*?^```$|<!--[\s\S]*?-->/gm, (block) => block.replace(/[^\n]/g, ''));

/** Anchors that GitHub gives to the headings of a document. */
export const anchorsOf = (markdown: string): ReadonlySet<string> => {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(markdown).matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-');
    let [unique, times] = [anchor, 0];
    while (anchors.has(unique)) unique = `${anchor}-${++times}`;
    anchors.add(unique);
  }
  return anchors;
};

/** Links that lead nowhere, one line each. @param files documents, relative to the root */
export const deadLinks = (root: string, files: readonly string[]): readonly string[] =>
  files.flatMap((file) => {
    const lines = withoutCode(readFileSync(join(root, file), 'utf8')).split('\n');
    return lines.flatMap((line, index) =>
      linksIn(line)
        .map((link) => ({ link, problem: problemOf(root, file, link) }))
        .flatMap(({ link, problem }) => (problem === null ? [] : `${file}:${index + 1}: ${link}: ${problem}`)),
    );
  });

const linksIn = (line: string): readonly string[] =>
  [...line.replace(/`[^`]*`(?!\])/g, '').matchAll(/\]\(([^()\s]+)\)/g)].map(([, link = '']) => link);

const problemOf = (root: string, file: string, link: string): string | null => {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, file) : resolve(root, dirname(file), path);
  if (relative(root, target).startsWith('..')) return 'outside the project';
  if (!existsSync(target)) return 'there is no such file';
  if (anchor === undefined) return null;
  if (!target.endsWith('.md') || statSync(target).isDirectory()) return 'no document with headings';
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor) ? null : 'there is no such heading';
};

/** Every document of the project. */
export const documents = (root: string): readonly string[] =>
  globSync(['*.md', '{docs,hack,manifests,apiservice,charts,profiles,test,src,.github}/**/*.md'], { cwd: root }).sort();

if (import.meta.main) {
  const root = join(import.meta.dirname, '..');
  const dead = deadLinks(root, documents(root));
  for (const one of dead) console.error(one);
  if (dead.length > 0) process.exitCode = 1;
}
