import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readKubeconfig } from '../../src/cluster/kubeconfig.ts';
import { messageOf } from '../../src/vocabulary/errors.ts';

const file = join(mkdtempSync(join(tmpdir(), 'kubeconfig-')), 'config');
const written = (text: string): string => {
  writeFileSync(file, text);
  return file;
};
const config = (change: { server?: string; cluster?: string; user?: string; current?: string; certificate?: string }) =>
  written(`
apiVersion: v1
kind: Config
current-context: ${change.current ?? 'here'}
contexts: [{name: here, context: {cluster: ${change.cluster ?? 'c'}, user: ${change.user ?? 'u'}}}]
clusters: [{name: c, cluster: {server: "${change.server ?? 'https://h:6443'}"}}]
users: [{name: u, user: {${change.certificate ?? 'token: t'}}}]
`);

test('a whole one is read', () => {
  expect(readKubeconfig(config({})).getCurrentCluster()?.server).toBe('https://h:6443');
});

test.each([
  ['no such file', () => '/nowhere/config', /^kubeconfig \/nowhere\/config cannot be read: ENOENT/],
  ['no YAML', () => written('a: ['), / cannot be read: /],
  ['nothing', () => written(''), / cannot be read: |current-context/],
  ['another document', () => written('[1, 2]'), / cannot be read: |current-context/],
  ['no such context', () => config({ current: 'there' }), /: current-context "there" is not one of its contexts \(here\)$/],
  ['no such cluster', () => config({ cluster: 'd' }), /: context here names cluster "d", which is not there$/],
  ['no such user', () => config({ user: 'v' }), /: context here names user "v", which is not there$/],
  [
    'a server in clear',
    () => config({ server: 'http://h:8080' }),
    /: cluster c has server "http:\/\/h:8080", which is no https URL$/,
  ],
  ['a server without scheme', () => config({ server: 'h:8080' }), /which is no https URL$/],
  [
    'no certificate file',
    () => config({ certificate: 'client-certificate: /nowhere/crt' }),
    /certificates cannot be used: ENOENT/,
  ],
  ['a broken certificate', () => config({ certificate: 'client-certificate-data: YWJj' }), /certificates cannot be used: /],
])('%s is one line', (_, path, message) => {
  let thrown: unknown = null;
  try {
    readKubeconfig(path());
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'BAD_SETTING' });
  expect(messageOf(thrown)).toMatch(message);
  expect(messageOf(thrown)).not.toContain('\n');
});
