import { readFileSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { builtBinaries, type ControlPlane, startControlPlane } from '../../hack/cluster/control-plane.ts';
import { authority, clientCertificate } from '../../hack/cluster/pki.ts';
import type { RunningServer } from '../../src/api/start.ts';
import type { KeyPair } from '../../src/api/x509.ts';
import { decided, fakeBoard } from '../helpers/fake-board.ts';
import { httpsClient } from '../helpers/https-client.ts';
import { type Cluster, clusterAt, eventually } from './cluster.ts';
import { publishedBundle, serveOnHost } from './install.ts';

/** Authorities are replaced under a steady load of reads through the aggregator. It has a control plane of its own. */
let controlPlane: ControlPlane;
let cluster: Cluster;
let server: RunningServer;
const board = fakeBoard();
const path = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/deployments.apps/web/gpumix_target_replicas';

/** Seconds in place of years: the serving certificate is renewed every 8 s, its authority replaced every 20 s. */
const lifetimes = { authoritySeconds: 30, servingSeconds: 12, overlapSeconds: 3 };

beforeAll(async () => {
  controlPlane = await startControlPlane();
  cluster = clusterAt(controlPlane.kubeconfig, join(await builtBinaries(), 'kubectl'));
  board.set(decided('default', 'web', 4));
  server = await serveOnHost(cluster, { board, lifetimes });
}, 120_000);

afterAll(async () => {
  await server.drain(0);
  await controlPlane.stop();
});

const { parse, stringify } = JSON;
/** 200 reads a second while `work` goes on; answers how many there were and what failed. */
const underLoad = async (
  work: () => Promise<void>,
): Promise<{ readonly reads: number; readonly failures: readonly string[] }> => {
  const admin = {
    cert: readFileSync(controlPlane.pki.admin.certificate, 'utf8'),
    key: readFileSync(controlPlane.pki.admin.privateKey, 'utf8'),
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const ask = httpsClient(
    () => controlPlane.server,
    () => readFileSync(controlPlane.pki.cluster.certificate, 'utf8'),
    'localhost',
  );
  const failures: string[] = [];
  const pending = new Set<Promise<void>>();
  let reads = 0;
  const read = async () => {
    reads += 1;
    const answer = await ask(path, { ...admin, agent }).catch((error: Error) => ({
      code: 0,
      text: error.message,
      body: undefined,
    }));
    if (answer.body?.items?.[0]?.value !== '4') failures.push(`${answer.code} ${answer.text.slice(0, 200)}`);
  };
  const timer = setInterval(() => {
    const one = read().finally(() => pending.delete(one));
    pending.add(one);
  }, 5);
  await work();
  clearInterval(timer);
  await Promise.all(pending);
  agent.destroy();
  return { reads, failures };
};
const seconds = (count: number) => new Promise<void>((resolve) => setTimeout(resolve, count * 1000));

test('the serving certificate and its authority are replaced: no failed read (items 99, 102)', async () => {
  const seen = new Set<string>();
  const { reads, failures } = await underLoad(async () => {
    for (let second = 0; second < 60; second += 1) {
      seen.add(
        stringify((await publishedBundle(cluster)).match(/BEGIN/g)?.length) + (await publishedBundle(cluster)).slice(100, 160),
      );
      await seconds(1);
    }
  });
  console.log(`serving CA: ${reads} reads, ${failures.length} failed, ${seen.size} bundles seen`);
  expect(failures).toEqual([]);
  expect(seen.size).toBeGreaterThan(2);
  expect(reads).toBeGreaterThan(5_000);
}, 120_000);

const configMap = async (key: string): Promise<string> =>
  parse(await cluster.kubectl(['get', 'configmap', 'extension-apiserver-authentication', '-n', 'kube-system', '-o', 'json']))
    .data[key] ?? '';
const replaced = async (key: string, file: string, before: string, next: KeyPair, use: () => void | Promise<void>) => {
  writeFileSync(file, before + next.certificate); // both are trusted ...
  await eventually(key, async () => String((await configMap(key)).includes(next.certificate)), 'true', 90);
  await use(); // ... the new one signs ...
  await seconds(5);
  writeFileSync(file, next.certificate); // ... and the old one goes; the ConfigMap itself keeps it until it expires
  await seconds(15);
};

test('the front-proxy authority is replaced: no failed read (item 89)', async () => {
  const { frontProxy, frontProxyClient } = controlPlane.pki;
  const next = authority('next front proxy CA');
  const client = clientCertificate(next, 'front-proxy-client');
  const { reads, failures } = await underLoad(() =>
    replaced(
      'requestheader-client-ca-file',
      frontProxy.certificate,
      readFileSync(frontProxy.certificate, 'utf8'),
      next,
      async () => {
        writeFileSync(frontProxyClient.privateKey, client.privateKey);
        writeFileSync(frontProxyClient.certificate, client.certificate);
        await seconds(70); // kube-apiserver looks at these files every minute
      },
    ),
  );
  console.log(`front-proxy CA: ${reads} reads, ${failures.length} failed`);
  expect(failures).toEqual([]);
}, 400_000);

test('a client authority is added: its users are in, the others stay in, no failed read (items 86, 89)', async () => {
  const { cluster: ca } = controlPlane.pki;
  const next = authority('next client CA');
  const before = readFileSync(ca.certificate, 'utf8');
  const oldAuthority = { certificate: before, privateKey: readFileSync(ca.privateKey, 'utf8') };
  let bundle = '';
  const direct = httpsClient(
    () => server.url,
    () => bundle,
    'gpumix.gpumix-system.svc',
  );
  const codeOf = async (signer: KeyPair) => {
    bundle = await publishedBundle(cluster);
    const { certificate, privateKey } = clientCertificate(signer, 'carol', ['system:masters']);
    return String((await direct(path, { cert: certificate, key: privateKey })).code);
  };
  const { reads, failures } = await underLoad(async () => {
    expect(await codeOf(oldAuthority)).toBe('200');
    expect(await codeOf(next)).toBe('401');
    writeFileSync(ca.certificate, before + next.certificate);
    await eventually('new authority', () => codeOf(next), '200', 90);
    expect(await codeOf(oldAuthority)).toBe('200');
  });
  console.log(`client CA: ${reads} reads, ${failures.length} failed`);
  expect(failures).toEqual([]);
}, 300_000);
