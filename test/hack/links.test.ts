import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, deadLinks } from '../../hack/links.ts';

test('headings have the anchors that GitHub gives them', () => {
  const text = '# One\n## `gpumix serve`: how?\n## One\n```\n# no heading\n```\n### [Link](x.md), and `-1/2`\n';
  expect([...anchorsOf(text)]).toEqual(['one', 'gpumix-serve-how', 'one-1', 'link-and--12']);
});

test('links that lead nowhere are named with their lines; code and addresses are left alone', () => {
  const root = mkdtempSync(join(tmpdir(), 'gpumix-links-'));
  mkdirSync(join(root, 'docs'));
  writeFileSync(
    join(root, 'README.md'),
    '# Read me\n[a](docs/a.md#a) [b](docs/b.md)\n[c](docs/a.md#c) `[d](d.md)` [`e`](e.md)\n',
  );
  writeFileSync(
    join(root, 'docs/a.md'),
    '# A\n[up](../README.md#read-me) [out](../../x) [web](https://example.com)\n```\n[f](f.md)\n```\n',
  );
  expect(deadLinks(root, ['README.md', 'docs/a.md'])).toEqual([
    'README.md:2: docs/b.md: there is no such file',
    'README.md:3: docs/a.md#c: there is no such heading',
    'README.md:3: e.md: there is no such file',
    'docs/a.md:2: ../../x: outside the project',
  ]);
});
