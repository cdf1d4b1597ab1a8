import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { authority } from '../../hack/cluster/pki.ts';
import { type ClusterFacts, findingsOfLook } from '../../src/cli/doctor.ts';
import { findingText } from '../../src/cli/finding.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';
import { startRedis } from '../helpers/redis.ts';
import { runCommand } from '../helpers/run-command.ts';

const folder = mkdtempSync(join(tmpdir(), 'gpumix-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = modelDeployment({
  metadata: { name: 'a', namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' } },
})!;
const config = { planPrefix: 'gpumix:', intervalSeconds: 10 };

const look = (changes: Partial<ClusterFacts> = {}, state = 'fresh'): ClusterFacts => {
  const models = [{ name: 'm', state, reason: 'so it is', deployments: ['serving/a'], variants: [] }];
  return {
    deployments: [deployment],
    profiles: {
      found: new Map([['serving/a', { source: 'p', profile: { inputTokens: [], outputTokens: [], throughput: [] } } as never]]),
      problems: [],
    },
    decided: { models } as never,
    stored: { plan: { models } as never, ageSeconds: 4 },
    problems: [],
    notes: [],
    ...changes,
  };
};
const wrongOf = (seen: ClusterFacts) =>
  findingsOfLook(seen, config).flatMap((one) => (one.verdict === 'wrong' ? [findingText(one)] : []));

test('a fleet that gpumix plans for has nothing wrong', () => {
  expect(findingsOfLook(look(), config).map(findingText)).toEqual([
    'Kubernetes is read: Deployments that carry a model: 1',
    'serve planned 4 s ago',
    'model m is fresh: so it is',
    'each Deployment has a profile',
  ]);
  expect(wrongOf(look())).toEqual([]);
  expect(wrongOf(look({}, 'idle'))).toEqual([]);
});

test.each([
  ['no Deployment', look({ deployments: [] }), /^no Deployment has the label/],
  ['no profile', look({ profiles: { found: new Map(), problems: [] } }), /^serving\/a has no profile of m/],
  ['no leader', look({ stored: null }), /^serve has stored no plan in this Redis under gpumix:plans/],
  ['a leader that is gone', look({ stored: { plan: {} as never, ageSeconds: 46 } }), /^serve planned 46 s ago, and no more/],
  ['no records', look({}, 'missing'), /^model m is missing: so it is/],
  ['old records', look({}, 'stale'), /^model m is stale/],
  ['what serve warns of', look({ problems: ['Redis takes no write of ours'] }), /^Redis takes no write of ours$/],
])('%s is wrong', (_name, seen, text) => {
  expect(wrongOf(seen)).toEqual([expect.stringMatching(text)]);
});

test('a model none of whose Deployments has a profile is not told as one that is well', () => {
  const told = findingsOfLook(look({ profiles: { found: new Map(), problems: [] } }), config);
  expect(told.filter(({ verdict }) => verdict === 'ok').map(({ object }) => object)).not.toContain('model m');
  expect(told.map(({ id }) => id)).toContain('no-profile');
});

test('what works, and is not as it was written, is a note', () => {
  const told = findingsOfLook(look({ notes: ['random is taken for none'] }), config);
  expect(told.at(-1)).toMatchObject({ verdict: 'note', id: 'approximation', seen: 'random is taken for none' });
  expect(wrongOf(look({ notes: ['random is taken for none'] }))).toEqual([]);
});

test('what somebody has fixed by hand is a note, with what ends it', () => {
  const by = (annotations: Readonly<Record<string, string>>) => {
    const one = modelDeployment({
      metadata: { name: 'a', namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' }, annotations },
      spec: { replicas: 2 },
    })!;
    return findingsOfLook(look({ deployments: [one] }), config).filter(({ verdict }) => verdict === 'note');
  };
  expect(by({ 'gpumix.io/paused': 'true' })).toMatchObject([
    {
      id: 'paused',
      seen: 'is paused at 2 by gpumix.io/paused',
      mend: 'kubectl annotate deployment a -n serving gpumix.io/paused-',
    },
  ]);
  const over = { 'gpumix.io/pin': '3', 'gpumix.io/pin-until': '2020-01-01T00:00:00Z' };
  expect(by(over)).toMatchObject([{ id: 'pinned', seen: 'was pinned to 3 until 2020-01-01T00:00:00.000Z, which is over' }]);
  expect(by({ 'gpumix.io/pin': '3' })).toMatchObject([{ id: 'pinned', seen: 'is pinned to 3' }]);
});

const noRedis = ['--redis-url', 'redis://127.0.0.1:1'];

test('without a kubeconfig that can be read, what can be said of Redis is said, and it is bad input', async () => {
  const { status, out } = await runCommand('doctor', '--kubeconfig', '/nowhere', ...noRedis);
  expect(status).toBe(2);
  expect(out).toMatch(
    /^WRONG {2}Kubernetes cannot be read: kubeconfig \/nowhere cannot be read: ENOENT.*\n {7}\[kubernetes-away\] fix: /,
  );
  expect(out).toMatch(/^WRONG {2}Redis 127\.0\.0\.1:1\/0 does not answer: /m);
});

test('with Redis alone it says which one, what is there, and that nobody plans', async () => {
  const redis = await startRedis();
  const flags = ['--kubeconfig', '/nowhere', '--redis-url', redis.url, '--verbose'];
  const { out } = await runCommand('doctor', ...flags);
  const { out: json } = await runCommand('doctor', ...flags, '--json');
  await redis.kill();
  expect(out).toMatch(
    /^WRONG {2}Redis 127\.0\.0\.1:\d+\/0 has no key aibrix:<model>_request_trace_<time>; of aibrix:profile_\* it has 0$/m,
  );
  expect(out).toMatch(/^WRONG {2}serve has stored no plan in this Redis under gpumix:plans$/m);
  expect(out).toMatch(/^ok {5}Redis 127\.0\.0\.1:\d+\/0 answers$/m);
  const { findings } = JSON.parse(json) as { findings: { id: string; verdict: string }[] };
  expect(findings.map(({ id }) => id)).toEqual(['kubernetes-away', 'redis-empty', 'no-leader', null]);
});

/** A Kubernetes API that lets some kinds be read, and the kubeconfig for it. */
const apiServer = async (readable: readonly string[]) => {
  const { certificate, privateKey } = authority('a cluster');
  const labels = { 'model.aibrix.ai/name': 'm' };
  const items = { deployments: [{ metadata: { name: 'a', namespace: 'serving', uid: 'u', labels } }] } as Record<
    string,
    object[]
  >;
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    const kind = pathname.split('/').at(-1)!;
    const status = readable.includes(kind) || kind === 'version' ? 200 : 403;
    response.writeHead(status, { 'content-type': 'application/json' });
    if (status === 403) return void response.end('{"message":"no"}');
    if (searchParams.get('watch') !== null) return void response.flushHeaders();
    const chosen = searchParams.has('fieldSelector') || searchParams.has('labelSelector') ? [] : items[kind];
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: chosen ?? [] }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(folder, `kubeconfig-${readable.length}`);
  const clusters = [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }];
  const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }];
  writeFileSync(file, JSON.stringify({ clusters, users: [{ name: 'u', user: {} }], contexts, 'current-context': 'c' }));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { file, close };
};

test('without a right it says which is missing, and looks at the rest', async () => {
  const none = await apiServer([]);
  const nothing = await runCommand('doctor', '--kubeconfig', none.file, ...noRedis);
  none.close();
  expect(nothing.status).toBe(1);
  expect(nothing.out).toMatch(
    /^WRONG {2}Kubernetes cannot be read: may not list deployments: see the ClusterRole gpumix[^\n]*\n {7}\[right-missing\] fix: /,
  );
  expect(nothing.out).toMatch(/^WRONG {2}Redis .* does not answer/m);
  const some = await apiServer(['deployments', 'pods']);
  const partly = await runCommand('doctor', '--kubeconfig', some.file, ...noRedis);
  some.close();
  expect(partly.out).toMatch(/^WRONG {2}may not list horizontalpodautoscalers: see the ClusterRole gpumix/m);
  expect(partly.out).toMatch(/^WRONG {2}Redis 127\.0\.0\.1:1\/0 does not answer: .*ECONNREFUSED.*; records, the plan/m);
  // Where Redis is away, nobody knows whether there is a profile, a record, or a plan.
  expect(partly.out).not.toMatch(/no-profile|no-records|no-leader/);
  expect(partly.out).toMatch(/^\? {6}APIService v1beta2\.custom\.metrics\.k8s\.io cannot be read: 403 no$/m);
});

test('a cluster that does not answer is a finding', async () => {
  const file = join(folder, 'kubeconfig');
  const named = { name: 'c', context: { cluster: 'c', user: 'u' } };
  const clusters = [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }];
  const users = [{ name: 'u', user: {} }];
  writeFileSync(file, JSON.stringify({ clusters, users, contexts: [named], 'current-context': 'c' }));
  const { status, out } = await runCommand('doctor', '--kubeconfig', file, ...noRedis);
  expect([status, out]).toEqual([1, expect.stringMatching(/^WRONG {2}Kubernetes cannot be read: .*ECONNREFUSED.*\n/)]);
});
