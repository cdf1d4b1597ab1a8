import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkWritable, writeText } from '../../src/cli/write-text.ts';

const folder = mkdtempSync(join(tmpdir(), 'write-text-'));

test('trying a file leaves it as it was', async () => {
  const [there, absent] = [join(folder, 'there'), join(folder, 'absent')];
  writeFileSync(there, 'kept');
  await checkWritable(there, '--svg');
  await checkWritable(absent, '--svg');
  expect([readFileSync(there, 'utf8'), existsSync(absent)]).toEqual(['kept', false]);
  await writeText(absent, 'new', '--svg');
  expect(readFileSync(absent, 'utf8')).toBe('new');
});

test.each([checkWritable, (path: string, flag: string) => writeText(path, '', flag)])(
  'a folder cannot be written',
  async (to) => {
    await expect(to(folder, '--svg')).rejects.toMatchObject({
      code: 'BAD_USAGE',
      message: `--svg ${folder}: cannot be written`,
    });
  },
);
