import { connect } from 'node:http2';
import { Agent } from 'node:https';
import { expect, test, vi } from 'vitest';
import { authority, clientCertificate } from '../../hack/cluster/pki.ts';
import { issueCertificate } from '../../src/api/x509.ts';
import {
  apiUnderTest,
  asUser,
  clientCA,
  frontProxyCA,
  metricPath,
  requestHeaderConfig,
  servingCA,
  shown,
} from '../helpers/api-server.ts';
import { decided } from '../helpers/fake-board.ts';
import type { AskOptions } from '../helpers/https-client.ts';

const api = apiUnderTest({ freshEachTest: true });
const path = metricPath('v1beta2', 'web');

/** Who the server takes the caller for: the user of the access review; the status when there was none. */
const seenAs = async (options: AskOptions, ask = api.ask) => {
  api.board.set(decided('default', 'web', 4));
  const { code } = await ask(path, options);
  const review = api.kubernetes.reviews.findLast((spec) => spec.user !== undefined);
  api.kubernetes.reviews.length = 0;
  if (code === 401) return 401;
  const { user, groups, uid, extra } = review;
  return { user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
};

const anonymous = { user: 'system:anonymous', groups: ['system:unauthenticated'] };
const alice = { user: 'alice', groups: ['system:authenticated'] };
const frontProxy = shown(clientCertificate(frontProxyCA, 'front-proxy-client'));
const wrongName = shown(clientCertificate(frontProxyCA, 'somebody'));
const bob = clientCertificate(clientCA, 'bob', ['dev', 'ops']);
const dates = (from: number, to: number) => ({
  notBefore: new Date(Date.now() + from * 1000),
  notAfter: new Date(Date.now() + to * 1000),
});

test('the front proxy says who it is: user, uid, groups in order, extras decoded (item 82)', async () => {
  const headers = {
    'X-Remote-User': 'alice',
    'X-Remote-Uid': 'u-1',
    'X-Remote-Group': ['zoo', 'ant'],
    'X-Remote-Extra-Example.com%2fScopes': ['read', 'write'],
    'X-Remote-Extra-bad%zz': 'kept',
  };
  expect(await seenAs({ ...frontProxy, headers })).toEqual({
    user: 'alice',
    uid: 'u-1',
    groups: ['zoo', 'ant', 'system:authenticated'],
    extra: { 'example.com/scopes': ['read', 'write'], 'bad%zz': ['kept'] },
  });
});

test('a group with a comma is one group, and repeated headers stay apart (item 83)', async () => {
  const headers = { 'X-Remote-User': 'alice', 'X-Remote-Group': ['a,b', 'c', ''] };
  expect(await seenAs({ ...frontProxy, headers })).toEqual({
    user: 'alice',
    groups: ['a,b', 'c', 'system:authenticated'],
  });
});

const forged = { 'X-Remote-User': 'admin', 'X-Remote-Group': 'system:masters' };
const unknown = shown(clientCertificate(authority('unknown'), 'front-proxy-client'));
const selfSigned = shown(authority('front-proxy-client'));
test.each([
  { name: 'forged headers, no certificate (item 84)', options: { headers: forged }, as: anonymous },
  {
    name: 'forged headers, certificate of an unknown authority (item 84)',
    options: { headers: forged, ...unknown },
    as: 401,
  },
  { name: 'forged headers, self-signed certificate (item 84)', options: { headers: forged, ...selfSigned }, as: 401 },
  {
    name: 'front-proxy authority, a name that is not allowed (item 85)',
    options: { headers: forged, ...wrongName },
    as: 401,
  },
  { name: 'front proxy without a user header (item 85)', options: frontProxy, as: 401 },
  { name: 'no credentials (item 88)', options: {}, as: anonymous },
  { name: 'a token that nobody knows (item 87)', options: { headers: { authorization: 'Bearer nobody' } }, as: 401 },
  { name: 'another scheme than Bearer (item 88)', options: { headers: { authorization: 'Basic eDp5' } }, as: anonymous },
])('$name', async ({ options, as }) => {
  expect(await seenAs(options)).toEqual(as);
});

test('a user certificate keeps its user whatever the headers say (item 84)', async () => {
  expect(await seenAs({ ...shown(bob), headers: forged })).toMatchObject({
    user: 'bob',
    groups: ['dev', 'ops', 'system:authenticated'],
  });
});

test('an empty list of names allows any (item 85)', async () => {
  api.kubernetes.config = { ...requestHeaderConfig(), 'requestheader-allowed-names': '[]' };
  await vi.waitFor(
    async () => expect(await seenAs({ ...wrongName, headers: { 'X-Remote-User': 'alice' } })).toEqual(alice),
    5000,
  );
});

test('a certificate of the client authority: CN, O and the fingerprint (item 86)', async () => {
  const seen = await seenAs(shown(bob));
  expect(seen).toMatchObject({ user: 'bob', groups: ['dev', 'ops', 'system:authenticated'] });
  expect(seen).toHaveProperty(
    ['extra', 'authentication.kubernetes.io/credential-id', 0],
    expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/),
  );
});

test.each([
  { name: 'expired', usages: ['clientAuth'] as const, validity: dates(-7200, -3600) },
  { name: 'not valid yet', usages: ['clientAuth'] as const, validity: dates(3600, 7200) },
  { name: 'for servers only', usages: ['serverAuth'] as const, validity: dates(-60, 3600) },
])('a client certificate that is $name is refused (item 86)', async ({ usages, validity }) => {
  const pair = issueCertificate({ commonName: 'bob', usages, ...validity }, clientCA);
  expect(await seenAs(shown(pair))).toBe(401);
});

test('a certificate that a user certificate signed is refused (item 86)', async () => {
  const child = issueCertificate({ commonName: 'mallory', usages: ['clientAuth'], ...dates(-60, 3600) }, bob);
  expect(await seenAs({ cert: child.certificate + bob.certificate, key: child.privateKey })).toBe(401);
});

test('a token is reviewed once in ten seconds, also for concurrent requests (item 87)', async () => {
  api.board.set(decided('default', 'web', 4));
  api.kubernetes.tokens.set('t1', { username: 'alice', uid: 'u', groups: ['g'], extra: { k: ['v'] } });
  const headers = { authorization: 'bearer t1' };
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.ask(path, { headers })));
  expect(answers.map(({ code }) => code)).toEqual(Array(8).fill(200));
  expect(api.kubernetes.reviews.filter((spec) => spec.token === 't1')).toHaveLength(1);
  expect(api.kubernetes.reviews.filter((spec) => spec.user !== undefined)).toEqual([
    expect.objectContaining({ user: 'alice', uid: 'u', groups: ['g', 'system:authenticated'], extra: { k: ['v'] } }),
  ]);
});

test('with TokenReview unreachable a token is refused (item 87)', async () => {
  api.kubernetes.failure = 400;
  const { code, body } = await api.ask(path, { headers: { authorization: 'Bearer t1' } });
  expect(code).toBe(401);
  expect(body).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  });
});

test('401 is a Status (item 47)', async () => {
  const { body } = await api.ask(path, unknown);
  expect(body).toMatchObject({ kind: 'Status', reason: 'Unauthorized', message: 'Unauthorized', code: 401 });
});

test('a new front-proxy authority counts at once, on the open connection too, right after the last look (item 89)', async () => {
  const next = authority('next front proxy CA');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const client = {
    ...shown(clientCertificate(next, 'front-proxy-client')),
    headers: { 'X-Remote-User': 'alice' },
    agent,
  };
  expect(await seenAs(client)).toBe(401);
  api.kubernetes.config = { ...requestHeaderConfig(), 'requestheader-client-ca-file': next.certificate };
  expect(await seenAs(client)).toEqual(alice);
  expect(await seenAs({ ...frontProxy, headers: forged })).toBe(401);
  agent.destroy();
});

test.each([
  { name: 'deleted', config: null },
  { name: 'emptied', config: {} },
  {
    name: 'unreadable',
    config: { ...requestHeaderConfig(), 'requestheader-client-ca-file': 'nonsense', 'client-ca-file': '' },
  },
  { name: 'with a broken list of names', config: { ...requestHeaderConfig(), 'requestheader-allowed-names': '[' } },
])('a configuration that is $name leaves the last good one (item 89)', async ({ config }) => {
  api.kubernetes.config = config as Record<string, string> | null;
  await seenAs(unknown); // makes it look
  expect(await seenAs(asUser('alice'))).toEqual(alice);
});

test('header names come from the configuration; a missing uid key is no failure (item 90)', async () => {
  const { 'requestheader-uid-headers': _left, ...config } = requestHeaderConfig();
  await new Promise((resolve) => setTimeout(resolve, 1100));
  api.kubernetes.config = {
    ...config,
    'requestheader-username-headers': '["X-First","X-Second"]',
    'requestheader-group-headers': '["X-Gang"]',
  };
  await seenAs(unknown);
  const headers = { 'X-Second': 'alice', 'X-Gang': 'g', 'X-Remote-User': 'admin', 'X-Remote-Uid': 'u' };
  expect(await seenAs({ ...frontProxy, headers })).toEqual({ user: 'alice', groups: ['g', 'system:authenticated'] });
});

test('the same over HTTP/2 (items 82, 97)', async () => {
  api.board.set(decided('default', 'web', 4));
  const session = connect(api.server.url, {
    ca: servingCA.certificate,
    servername: 'gpumix.gpumix-system.svc',
    ...frontProxy,
  });
  const stream = session.request({ ':path': path, 'x-remote-user': 'alice', 'x-remote-group': ['a,b', 'c'] });
  const code = await new Promise((resolve, reject) => {
    stream.on('response', (headers) => resolve(headers[':status']));
    stream.on('error', reject);
  });
  stream.resume();
  session.close();
  expect(code).toBe(200);
  expect(api.kubernetes.reviews).toEqual([
    expect.objectContaining({ user: 'alice', groups: ['a,b', 'c', 'system:authenticated'] }),
  ]);
});
