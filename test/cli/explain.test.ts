import { expect, test } from 'vitest';
import { runCommand } from '../helpers/run-command.ts';

test('the Deployment is named, before or behind the flags', async () => {
  const err = async (...argv: string[]) => (await runCommand('explain', ...argv)).err;
  expect(await err('--headroom', '0.2')).toBe('gpumix explain: name the Deployment as NAMESPACE/DEPLOYMENT (BAD_USAGE)\n');
  expect(await err('a')).toBe('gpumix explain: name the Deployment as NAMESPACE/DEPLOYMENT, not a (BAD_USAGE)\n');
  expect(await err('--json', '--kubeconfig', '/nowhere', 'a/b')).toMatch(/: kubeconfig \/nowhere cannot be read/);
  expect(await err('a/b', '--kubeconfig', '/nowhere')).toMatch(/: kubeconfig \/nowhere cannot be read/);
});
