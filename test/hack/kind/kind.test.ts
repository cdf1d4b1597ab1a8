import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const kind = (...args: readonly string[]) =>
  spawnSync(process.execPath, [join(import.meta.dirname, '../../../hack/kind/kind.ts'), ...args], { encoding: 'utf8' });

test('it says what it does and what it reads, without Docker', () => {
  for (const flag of ['--help', '-h']) {
    const { status, stdout, stderr } = kind(flag);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const word of ['up', 'down', 'KIND_NODE_IMAGE', 'context']) expect(stdout).toContain(word);
  }
});

test.each([[], ['sideways']])('%j is neither up nor down: it says so, and how to ask', (...args) => {
  expect(kind(...args)).toMatchObject({ status: 2, stdout: '', stderr: 'kind: up or down? npm run kind -- --help says more\n' });
});
