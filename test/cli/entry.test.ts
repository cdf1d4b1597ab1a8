import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { version } from '../../src/runtime/version.ts';

const entry = join(import.meta.dirname, '../../src/cli/entry.ts');
const run = (args: readonly string[], options: { readonly stdout?: number; readonly pretend?: string } = {}) => {
  const pretended = `Object.defineProperty(process.versions, 'node', { value: '${options.pretend}' })`;
  const before = options.pretend === undefined ? [] : ['--import', `data:text/javascript,${encodeURIComponent(pretended)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...before, entry, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/nowhere' },
  });
  return { status, stdout, stderr };
};

test('a Node that is too old says so, in one line, and nothing else is loaded', () => {
  const { status, stdout, stderr } = run(['--version'], { pretend: '20.20.2' });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^gpumix: Node 24 or newer is needed, and this is Node 20\.20\.2; [^\n]+\n$/);
});

test('the process runs the command and ends with its status', () => {
  expect(run(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  expect(run(['nothing']).status).toBe(2);
});

test('output that cannot be written is a failure, told in one line', () => {
  const { status, stderr } = run(['--help'], { stdout: openSync('/dev/full', 'w') });
  expect([status, stderr]).toEqual([2, 'gpumix: the output cannot be written: ENOSPC: no space left on device, write\n']);
});

test.each([['serve'], ['gateway'], ['explain', 'a/b'], ['profile', '--check']])(
  '%s without a kubeconfig that can be used ends with one line',
  (...command) => {
    const without = run(command);
    expect([without.status, without.stdout]).toEqual([2, '']);
    expect(without.stderr).toMatch(
      /^gpumix \w+: no Kubernetes cluster is named: give --kubeconfig FILE, or set KUBECONFIG[^\n]*\n$/,
    );
    const broken = run([...command, '--kubeconfig', '/nowhere/config']);
    expect([broken.status, broken.stdout]).toEqual([2, '']);
    expect(broken.stderr).toMatch(/^gpumix \w+: kubeconfig \/nowhere\/config cannot be read: ENOENT[^\n]*\n$/);
  },
);
