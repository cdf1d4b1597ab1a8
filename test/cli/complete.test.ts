import { expect, test, vi } from 'vitest';
import { main } from '../../src/cli/gpumix.ts';

const complete = async (...argv: string[]) => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
  let stderr = '';
  const status = await main(['complete', ...argv], {
    stdout: () => {},
    stderr: (text) => {
      stderr += text;
    },
  });
  log.mockRestore();
  return { status, stderr, text: lines.join('\n'), words: lines.slice(0, -1).map((line) => line.split('\t')[0]) };
};

test('commands, flags of the command, and the values that can be listed', async () => {
  expect((await complete('--', 'se')).words).toEqual(['serve']);
  expect((await complete('--', '')).words).toContain('benchmark');
  expect((await complete('--', 'demo', '--')).words).toEqual(['--ticks', '--json', '--traffic', '--port', '--help']);
  expect((await complete('--', 'serve', '--redis-mode', '')).words).toEqual(['single', 'sentinel', 'cluster']);
  expect((await complete('--', 'simulate', '--routing', 'i')).words).toEqual(['input']);
  expect((await complete('--', 'complete', '')).words).toContain('zsh');
});

test.each(['bash', 'zsh', 'fish', 'powershell'])('a script for %s asks gpumix itself', async (shell) => {
  const { status, text } = await complete(shell);
  expect(status).toBe(0);
  expect(text).toMatch(/gpumix complete|complete --/);
});

test('another shell is bad usage', async () => {
  expect(await complete('csh')).toMatchObject({
    status: 2,
    stderr: 'gpumix complete: name the shell: bash, zsh, fish, powershell (BAD_USAGE)\n',
  });
});
