import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { certificateFromFiles } from '../../src/api/serving-certificate.ts';
import { startServer } from '../../src/api/start.ts';
import { apiUnderTest, asUser, fakeKubernetes, metricPath, servingCA, servingPair } from '../helpers/api-server.ts';
import { decided } from '../helpers/fake-board.ts';
import { httpsClient } from '../helpers/https-client.ts';

const api = apiUnderTest();
const servername = 'gpumix.gpumix-system.svc';

const handshake = async (options: ConnectionOptions = {}, url = api.server.url): Promise<TLSSocket> => {
  const { port } = new URL(url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', ca: servingCA.certificate, servername, ...options });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
};

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s, h2 and http/1.1 (item 97)', async (version) => {
  for (const protocol of ['h2', 'http/1.1']) {
    const socket = await handshake({ minVersion: version, maxVersion: version, ALPNProtocols: [protocol] });
    expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, protocol]);
    socket.destroy();
  }
});

test.each([
  { name: 'TLS 1.1', options: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const },
  {
    name: 'a cipher that Go does not offer',
    options: { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-CCM' } as const,
  },
])('$name is refused (item 97)', async ({ options }) => {
  await expect(handshake(options)).rejects.toThrow();
});

test('no session outlives its certificate: there are no tickets (item 97)', async () => {
  const socket = await handshake({ maxVersion: 'TLSv1.2' });
  expect(socket.getTLSTicket()).toBeUndefined();
  socket.destroy();
});

test('plain HTTP is refused (item 97)', async () => {
  const { port } = new URL(api.server.url);
  const asked = new Promise((resolve, reject) => {
    plainRequest({ port, host: '127.0.0.1', path: '/readyz' }, (response) => resolve(response.statusCode))
      .on('error', reject)
      .end();
  });
  await expect(asked).rejects.toThrow();
});

test('Host may be an address while SNI is the Service (item 100)', async () => {
  const { headers, ...hpa } = asUser('hpa');
  api.board.set(decided('default', 'web', 4));
  const answer = await api.ask(metricPath('v1beta2', 'web'), { ...hpa, headers: { ...headers, host: '10.0.0.7:443' } });
  expect(answer.code).toBe(200);
});

test('five parallel probes of both versions, quickly (item 101)', async () => {
  const aggregator = asUser('system:kube-aggregator', ['system:masters']);
  const started = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      api.ask(`/apis/custom.metrics.k8s.io/${index % 2 ? 'v1beta1' : 'v1beta2'}`, aggregator),
    ),
  );
  expect(answers.map(({ code }) => code)).toEqual(Array(10).fill(200));
  expect(performance.now() - started).toBeLessThan(5000);
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpumix-tls-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('new certificate files are served without a restart, half-written ones are not (item 99)', async () => {
  const [certificateFile, keyFile] = [join(folder, 'tls.crt'), join(folder, 'tls.key')];
  const [first, second] = [servingPair(), servingPair()];
  writeFileSync(certificateFile, first.certificate);
  writeFileSync(keyFile, first.privateKey);
  const warnings: string[] = [];
  const log = { info: () => {}, warn: (fields: object) => warnings.push(JSON.stringify(fields)), error: () => {} };
  const certificate = await certificateFromFiles(certificateFile, keyFile, log, 20);
  const server = await startServer({
    board: api.board,
    kubernetes: fakeKubernetes().request,
    certificate,
    version: '0.0.0',
    log,
    host: '127.0.0.1',
    port: 0,
    readyChecks: [],
  });
  const shown = async () => {
    const socket = await handshake({}, server.url);
    const pem = socket.getPeerX509Certificate()?.toString();
    socket.destroy();
    return pem;
  };
  const open = await handshake({}, server.url);
  expect(await shown()).toBe(first.certificate);
  writeFileSync(certificateFile, second.certificate); // not its key yet
  await vi.waitFor(() => expect(warnings.join()).toMatch('is not the key of'));
  expect(await shown()).toBe(first.certificate);
  writeFileSync(`${keyFile}.new`, second.privateKey);
  renameSync(`${keyFile}.new`, keyFile);
  await vi.waitFor(async () => expect(await shown()).toBe(second.certificate));
  expect(open.destroyed).toBe(false);
  const again = await handshake({ maxVersion: 'TLSv1.2' }, server.url); // as strict as before
  expect(again.getTLSTicket()).toBeUndefined();
  again.destroy();
  open.destroy();
  await server.drain(0);
});

test('while draining readyz is 500, livez 200, and metrics are served (item 69)', async () => {
  const pair = servingPair();
  const { board } = api;
  board.set(decided('default', 'web', 4));
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const server = await startServer({
    board,
    kubernetes: fakeKubernetes().request,
    certificate: { current: () => pair, problem: () => undefined, onChange: () => {}, stop: () => {} },
    version: '0.0.0',
    log,
    host: '127.0.0.1',
    port: 0,
    readyChecks: [],
  });
  const ask = httpsClient(
    () => server.url,
    () => servingCA.certificate,
    servername,
  );
  expect((await ask('/readyz')).code).toBe(200);
  const drained = server.drain(0.5);
  const unready = await ask('/readyz');
  expect(unready.code).toBe(500);
  expect(unready.text).toContain('[-]shutdown failed: process is shutting down\n');
  expect((await ask('/livez')).code).toBe(200);
  expect((await ask(metricPath('v1beta2', 'web'), asUser('hpa'))).code).toBe(200);
  await drained;
  await expect(ask('/livez')).rejects.toThrow('ECONNREFUSED');
});

test('a forbidden configuration stops the start, a missing one does not (item 95)', async () => {
  const pair = servingPair();
  const options = {
    board: api.board,
    certificate: { current: () => pair, problem: () => undefined, onChange: () => {}, stop: () => {} },
    version: '0.0.0',
    log: { info: () => {}, warn: () => {}, error: () => {} },
    host: '127.0.0.1',
    port: 0,
    readyChecks: [],
  };
  await expect(startServer({ ...options, kubernetes: async () => ({ status: 403, body: {} }) })).rejects.toThrow(
    'may not get ConfigMap kube-system/extension-apiserver-authentication: see the ClusterRole gpumix-auth-reader in manifests/',
  );
  const kubernetes = fakeKubernetes();
  kubernetes.config = null;
  const server = await startServer({ ...options, kubernetes: kubernetes.request });
  const ask = httpsClient(
    () => server.url,
    () => servingCA.certificate,
    servername,
  );
  expect((await ask('/readyz')).code).toBe(200);
  expect((await ask(metricPath('v1beta2', 'web'), asUser('hpa', ['system:masters']))).code).toBe(401);
  await server.drain(0);
});
