import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findingLines, note, ok, unknown, wrong } from '../../src/cli/finding.ts';
import { findingKinds } from '../../src/cli/finding-kinds.ts';

const findings = [
  ok('Redis h', 'answers'),
  note('clock', 'Redis h', 'is 3 s ahead'),
  wrong('hpa-average-value', 'HPA ns/a', 'has averageValue 100', 'kubectl patch'),
  unknown('not-read', 'HPAs', 'cannot be read: 403'),
  ok('HPA ns/b', 'scales b'),
  wrong('no-leader', 'serve', 'has stored no plan'),
];

test('what is wrong comes first, with its id and what mends it; all that is well is one line; what was not looked at is last', () => {
  expect(findingLines(findings, false)).toEqual([
    'WRONG  HPA ns/a has averageValue 100',
    '       [hpa-average-value] fix: kubectl patch',
    'WRONG  serve has stored no plan',
    `       [no-leader] fix: ${findingKinds['no-leader'].mend}`,
    'note   Redis h is 3 s ahead',
    `       [clock] fix: ${findingKinds.clock.mend}`,
    'ok     2 checks hold; --verbose names each',
    '?      HPAs cannot be read: 403',
    `       [not-read] fix: ${findingKinds['not-read'].mend}`,
  ]);
});

test('of many alike the first is told, and where else it is', () => {
  const many = Array.from({ length: 50 }, (_, index) => wrong('no-records', `model m${index}`, 'is missing: none'));
  const lines = findingLines(many, false);
  expect(lines).toHaveLength(3);
  expect([lines[0], lines[2]]).toEqual([
    'WRONG  model m0 is missing: none',
    '       and 49 more (--verbose names each): model m1, model m2, model m3, model m4, model m5 ...',
  ]);
  expect(findingLines(many, true)).toHaveLength(100);
  expect(findingLines(many.slice(0, 5), false)).toHaveLength(10);
});

test('--verbose names each that is well', () => {
  expect(findingLines(findings, true).slice(-4, -2)).toEqual(['ok     Redis h answers', 'ok     HPA ns/b scales b']);
  expect(findingLines([ok('', 'all is well')], false)).toEqual(['ok     1 check holds; --verbose names each']);
});

test('every id is a heading in docs/doctor.md', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/doctor.md'), 'utf8');
  expect(Object.keys(findingKinds).filter((id) => !page.includes(`\n## ${id}\n`))).toEqual([]);
});
