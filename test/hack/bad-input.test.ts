import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { badInputPage, inFolder, type ToldMistake, withoutFolder } from '../../hack/bad-input.ts';
import { badInputs, writeFiles } from '../../hack/bad-input-rows.ts';
import { runCommand } from '../helpers/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
const { HOME, KUBECONFIG } = process.env;
beforeAll(() => {
  writeFiles(folder);
  process.env['HOME'] = folder;
  delete process.env['KUBECONFIG'];
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  process.env['HOME'] = HOME;
  if (KUBECONFIG !== undefined) process.env['KUBECONFIG'] = KUBECONFIG;
});

const page = readFileSync(join(import.meta.dirname, '../../docs/bad-input.md'), 'utf8');
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('| `'));

test('every mistake is one line and the status that docs/bad-input.md says; npm run hack -- hack/bad-input.ts writes it anew', async () => {
  expect(linesOf(page)).toHaveLength(badInputs.length);
  const told: ToldMistake[] = [];
  for (const input of badInputs) {
    // These are seen from outside of a process only.
    if (input.stdout !== undefined || input.env !== undefined) continue;
    const { status, out, err } = await runCommand(...inFolder(input.argv, folder));
    expect([out, err.split('\n').length], input.argv.join(' ')).toEqual(['', 2]);
    told.push({ input, status, message: withoutFolder(err, folder) });
  }
  const known = new Set(linesOf(page));
  expect(linesOf(badInputPage(told)).filter((line) => !known.has(line))).toEqual([]);
});
