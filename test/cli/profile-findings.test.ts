import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findingText } from '../../src/cli/finding.ts';
import { profileFindings } from '../../src/cli/profile-findings.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';

const found = (tputs: readonly (readonly number[])[]) => {
  const document = {
    gpu: 'a',
    cost: 1,
    indexes: [
      [64, 256],
      [512, 2048],
    ],
    tputs,
  };
  const one = { profile: profileOf(document, 'p'), source: 'aibrix:profile_m_a', seenAt: 0, digest: '0' };
  // Two Deployments that share it.
  return new Map([
    ['ns/a', one],
    ['ns/b', one],
  ]);
};

test('one whose throughput falls with the size is nothing to say', () => {
  expect(
    profileFindings(
      found([
        [4, 2],
        [2, 0],
      ]),
    ),
  ).toEqual([]);
});

test('a larger size that is served faster, or at all where a smaller one is not, is named once', () => {
  const rows = [
    [4, 2],
    [0, 1],
  ];
  const told = profileFindings(found(rows));
  expect(told.map((one) => [one.verdict, one.id])).toEqual([['note', 'profile-shape']]);
  expect(findingText(told[0]!)).toMatch(
    /^profile aibrix:profile_m_a serves more of a larger size than of a smaller one: \d+ \+ \d+ tokens 0, \d+ \+ \d+ tokens \d req\/s$/,
  );
});

test('the profiles that are shipped have none', () => {
  const folder = join(import.meta.dirname, '../../profiles');
  const files = globSync('*/*.json', { cwd: folder });
  expect(files.length).toBeGreaterThan(10);
  const all = files.map((file) => {
    const profile = profileOf(JSON.parse(readFileSync(join(folder, file), 'utf8')), file);
    return [file, { profile, source: file, seenAt: 0, digest: '0' }] as const;
  });
  expect(profileFindings(new Map(all)).map(findingText)).toEqual([]);
});
