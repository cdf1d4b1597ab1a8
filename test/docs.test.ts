import { execFile } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { fromJSONSchema } from 'zod';
import { median, sentencesOf, wordsOf } from '../hack/sentences.ts';
import { parseSnapshot } from '../src/planner/plan/snapshot-document.ts';
import { parseProfile } from '../src/profiles/profile-document.ts';
import { readRoutingPlan } from '../src/vocabulary/routing-plan.ts';

const root = resolve(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
/** Pages that scripts write as a whole. */
const generated = ['docs/bad-input.md', 'docs/doctor.md', 'docs/gateway-clients.md'];
const pages = globSync('docs/*.md', { cwd: root })
  .filter((page) => !generated.includes(page))
  .sort();

test('the README has at most 150 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(150);
});

test.each(['README.md', 'KNOWN_ISSUES.md', 'CONTRIBUTING.md', ...pages])(
  '%s: half of the sentences have at most 18 words',
  (page) => {
    const sentences = sentencesOf(read(page));
    expect(sentences.length).toBeGreaterThan(5);
    expect(median(sentences.map(wordsOf))).toBeLessThanOrEqual(18);
  },
);

test('the decisions: half of their sentences have at most 18 words', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: root });
  expect(decisions.length).toBeGreaterThan(80);
  expect(
    median(decisions.flatMap((page) => sentencesOf(read(page).replace(/^(Date|Status):.*$/gm, '')).map(wordsOf))),
  ).toBeLessThanOrEqual(18);
});

test('the README leads to every page', () => {
  const linked = read('README.md');
  expect(pages.filter((page) => !linked.includes(`](${page})`))).toEqual([]);
});

/** Blocks ```sh runnable, each with the block ```text output that follows, if one does. */
const runnable = globSync('{README.md,docs/**/*.md}', { cwd: root }).flatMap((page) =>
  [...read(page).matchAll(/^```sh runnable\n([\s\S]*?)^```\n(?:(?:(?!```)[\s\S])*?^```text output\n([\s\S]*?)^```)?/gm)].map(
    ([, block = '', output]) => ({ page, block, output }),
  ),
);

/** A folder with a command `gpumix` that runs the sources. */
const commands = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'gpumix-docs-'));
  const command = join(folder, 'gpumix');
  writeFileSync(command, `#!/bin/sh\nexec "${process.execPath}" "${join(root, 'src/cli/entry.ts')}" "$@"\n`);
  chmodSync(command, 0o755);
  return folder;
};

test('some blocks are runnable', () => {
  expect(runnable.length).toBeGreaterThanOrEqual(5);
});

test.each(runnable)('$page: the block runs and prints what the page says: $block', async ({ block, output }) => {
  const env = { ...process.env, PATH: `${commands()}${delimiter}${process.env['PATH']}` };
  const { stdout } = await promisify(execFile)('bash', ['-euc', block], { cwd: root, env });
  if (output !== undefined) expect(stdout).toBe(output);
});

test.each([
  { name: 'snapshot', parse: parseSnapshot },
  { name: 'plan', parse: JSON.parse },
  { name: 'profile', parse: (text: string) => parseProfile(text, 'the sample') },
  { name: 'routing-plan', parse: readRoutingPlan },
])('the sample $name keeps its schema, and the code that reads it takes it', ({ name, parse }) => {
  const text = read(`docs/samples/${name}.json`);
  expect(typeof parse(text)).toBe('object');
  const schema = fromJSONSchema(JSON.parse(read(`schemas/${name}.schema.json`)));
  expect(schema.safeParse(JSON.parse(text)).error).toBeUndefined();
  // And the schema says something: a document without any field breaks it.
  expect(schema.safeParse({}).success).toBe(false);
});

test('a command that deletes what a kustomization names does not fail where some of it has another name, or is gone', () => {
  const deleting = ['README.md', 'docs/install.md'].flatMap((page) =>
    readFileSync(join(root, page), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('kubectl delete -k')),
  );
  expect(deleting.length).toBeGreaterThan(3);
  expect(deleting.filter((line) => !line.endsWith(' --ignore-not-found'))).toEqual([]);
});

test('a sample that serves gated weights takes the token of Hugging Face from a Secret', () => {
  const serving = globSync('manifests/samples/**/*.yaml', { cwd: root }).flatMap((path) =>
    parseAllDocuments(read(path))
      .map((document) => document.toJS())
      .filter((object) => object?.kind === 'Deployment' && JSON.stringify(object).includes('meta-llama/'))
      .map(({ spec }) => spec.template.spec.containers[0].env),
  );
  expect(serving.length).toBeGreaterThanOrEqual(4);
  for (const env of serving)
    expect(env).toContainEqual({
      name: 'HF_TOKEN',
      valueFrom: { secretKeyRef: { name: 'hf-token', key: 'token', optional: true } },
    });
});
