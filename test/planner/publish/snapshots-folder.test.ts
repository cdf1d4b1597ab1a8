import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { planOf } from '../../../src/planner/plan/plan-of-snapshot.ts';
import { snapshotOf } from '../../../src/planner/plan/snapshot-document.ts';
import { snapshotsFolder } from '../../../src/planner/publish/snapshots-folder.ts';
import { smallSnapshot } from '../../solver/snapshots.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gpumix-snapshots-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const { snapshot } = smallSnapshot(1, 'size');
const plan = planOf(snapshot);
const saveAt = (save: ReturnType<typeof snapshotsFolder>, minute: number) =>
  save({ ...snapshot, now: `2026-11-01T10:0${minute}:00.000Z` }, plan);

test('a tick is two documents that are named after its time, and can be read again', () => {
  const folder = join(root, 'deep', 'er');
  saveAt(snapshotsFolder(folder, 3), 1);
  expect(readdirSync(folder).sort()).toEqual(['2026-11-01T10-01-00.000Z.plan.json', '2026-11-01T10-01-00.000Z.snapshot.json']);
  const read = (kind: string) => JSON.parse(readFileSync(join(folder, `2026-11-01T10-01-00.000Z.${kind}.json`), 'utf8'));
  expect(read('plan')).toEqual(JSON.parse(JSON.stringify(plan)));
  const again = planOf(snapshotOf(read('snapshot')));
  expect([again.status, again.cost, again.models]).toEqual([plan.status, plan.cost, plan.models]);
});

test('the newest ticks are kept, those of an earlier process among them, and what else lies there', () => {
  const save = snapshotsFolder(root, 2);
  saveAt(save, 1);
  writeFileSync(join(root, 'notes.txt'), 'mine');
  writeFileSync(join(root, '.half.plan.json'), '{');
  const restarted = snapshotsFolder(root, 2);
  for (const minute of [2, 3, 3]) saveAt(restarted, minute);
  expect(readdirSync(root).sort()).toEqual([
    '.half.plan.json',
    ...['02', '03'].flatMap((minute) => ['plan', 'snapshot'].map((kind) => `2026-11-01T10-${minute}-00.000Z.${kind}.json`)),
    'notes.txt',
  ]);
});
