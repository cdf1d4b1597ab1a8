import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { authority } from '../../hack/cluster/pki.ts';
import { type CheckedProfiles, checkDocument, checkLines } from '../../src/cli/profile-check.ts';
import { modelDeployment } from '../../src/cluster/variant.ts';
import { profileOf } from '../../src/profiles/profile-document.ts';
import { startRedis } from '../helpers/redis.ts';
import { runCommand } from '../helpers/run-command.ts';
import { standIns } from '../helpers/stand-ins.ts';

const { standIn } = standIns();
const folder = mkdtempSync(join(tmpdir(), 'gpumix-profile-check-'));
afterAll(() => rmSync(folder, { recursive: true }));

const deployment = (name: string) =>
  modelDeployment({ metadata: { name, namespace: 'serving', labels: { 'model.aibrix.ai/name': 'm' } } })!;
const profile = profileOf(
  {
    gpu: 'a',
    cost: 1,
    indexes: [
      [64, 256],
      [512, 2048],
    ],
    tputs: [
      [4, 2],
      [2, 1],
    ],
    slos: { percentile: 99, ttft: 2 },
    created: 1764028800,
  },
  'p',
);
const found = { profile, source: 'aibrix:profile_m_a', seenAt: 0, digest: '0' };
const fleet: CheckedProfiles = {
  deployments: [deployment('a')],
  profiles: { found: new Map([['serving/a', found]]), problems: [] },
  demand: new Map([
    [
      'm',
      [
        { inputTokens: 512, outputTokens: 64, arrivalRate: 9 },
        { inputTokens: 8000, outputTokens: 64, arrivalRate: 1 },
      ],
    ],
  ]),
  drifts: new Map(),
};

test('a Deployment has its profile, its demand beyond the grid, and what engines say of it', () => {
  const drift = { ratio: 1, servedRate: 1.5, profiledRate: 2, missedShare: 0.001 };
  expect(checkLines({ ...fleet, drifts: new Map([['serving/a', drift]]) })).toEqual({
    lines: [
      'serving/a: aibrix:profile_m_a; 512 to 2048 tokens in, 64 to 256 out; ttft 2 at p99; of 2025-11-25',
      '  demand: 10.0 % of it extrapolated: 8000 in 64 out',
      '  engines: agree, drift 1.00 (1.50 req/s a replica, by the profile 2.00, 0.1 % beyond the SLO)',
    ],
    wrong: false,
  });
});

test('one without a profile, and one that disagrees, are what the answer no is for', () => {
  const drift = { ratio: 0.5, servedRate: 1, profiledRate: 2, missedShare: 0.3 };
  const disagreeing = checkLines({ ...fleet, drifts: new Map([['serving/a', drift]]) });
  expect([disagreeing.wrong, disagreeing.lines.at(-1)]).toEqual([true, expect.stringContaining('DISAGREE, drift 0.50')]);
  const without = checkLines({ ...fleet, deployments: [deployment('a'), deployment('b')] });
  expect([without.wrong, without.lines.at(-1)]).toEqual([true, expect.stringMatching(/^serving\/b: no profile of m/)]);
  expect(checkLines(fleet).wrong).toBe(false);
});

test('a document says the same to programs', () => {
  const drift = { ratio: 0.5, servedRate: 1, profiledRate: 2, missedShare: 0.3 };
  const checked = checkDocument({
    ...fleet,
    drifts: new Map([['serving/a', drift]]),
    deployments: [deployment('a'), deployment('b')],
  });
  expect(checked.deployments).toMatchObject([
    { deployment: 'serving/a', source: 'aibrix:profile_m_a', extrapolatedShare: 0.1, drift: { ratio: 0.5, disagrees: true } },
    { deployment: 'serving/b', source: null, extrapolatedShare: null, drift: null },
  ]);
});

test('no fresh demand is said', () => {
  expect(checkLines({ ...fleet, demand: new Map() }).lines[1]).toBe('  demand: none that is fresh');
});

/** A Kubernetes API that has one Deployment with one pod, at this address. */
const cluster = async (port: string) => {
  const owner = [{ kind: 'ReplicaSet', name: 'a-1', controller: true }];
  const labels = { 'pod-template-hash': '1', 'model.aibrix.ai/port': port };
  const lists: Readonly<Record<string, readonly object[]>> = {
    deployments: [{ metadata: { name: 'a', namespace: 'serving', uid: 'u', labels: { 'model.aibrix.ai/name': 'm' } } }],
    pods: [
      {
        metadata: { name: 'a-1-x', namespace: 'serving', uid: 'p', labels, ownerReferences: owner },
        status: { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
      },
    ],
  };
  const { certificate, privateKey } = authority('a cluster');
  const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    response.writeHead(200, { 'content-type': 'application/json' });
    if (searchParams.get('watch') !== null) return void response.flushHeaders();
    const items = lists[pathname.split('/').at(-1)!] ?? [];
    response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
};

test('a fleet of Deployments, Redis and engines is read and judged', async () => {
  let requests = 0;
  const engine = await standIn((_request, response) => {
    requests += 600;
    response.end(
      [
        `vllm:request_success_total ${requests}`,
        `vllm:prompt_tokens_total ${512 * requests}`,
        `vllm:generation_tokens_total ${64 * requests}`,
        `vllm:time_to_first_token_seconds_bucket{le="+Inf"} ${requests}`,
        `vllm:time_to_first_token_seconds_bucket{le="2"} ${requests}`,
      ].join('\n'),
    );
  });
  const kubeconfig = join(folder, 'kubeconfig');
  const server = await cluster(new URL(engine).port);
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const named = { name: 'c', context: { cluster: 'c', user: 'u' } };
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'u', user: {} }],
      contexts: [named],
      'current-context': 'c',
    }),
  );
  const redis = await startRedis();
  const client = new Redis(redis.url);
  const document = { gpu: 'a', cost: 1, indexes: [[64], [512]], tputs: [[4]], slos: { percentile: 99, ttft: 2 } };
  await client.set('aibrix:profile_m_a', JSON.stringify(document));
  const flags = ['--check', '--kubeconfig', kubeconfig, '--redis-url', redis.url, '--seconds', '1'];
  const { status, out, err } = await runCommand('profile', ...flags);
  // A look leaves nothing behind.
  expect(await client.keys('*')).toEqual(['aibrix:profile_m_a']);
  await client.quit();
  await redis.kill();
  server.closeAllConnections();
  server.close();
  expect([status, err]).toEqual([1, '']);
  const [first, demand, engines] = out.split('\n');
  expect(first).toMatch(/^serving\/a: aibrix:profile_m_a; 512 to 512 tokens in, 64 to 64 out; ttft 2 at p99/);
  expect(demand).toBe('  demand: none that is fresh');
  // 600 requests in a few seconds, where the profile has four.
  expect(engines).toMatch(/DISAGREE, drift \d{2,}\.\d\d .* by the profile 4\.00, 0\.0 % beyond the SLO/);
});
