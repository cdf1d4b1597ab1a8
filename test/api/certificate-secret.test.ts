import { X509Certificate } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { certificateFromSecret, type SecretOptions } from '../../src/api/certificate-secret.ts';
import type { ServingCertificate } from '../../src/api/serving-certificate.ts';
import type { KubernetesRequest } from '../../src/cluster/kubernetes-connection.ts';

/** Objects by path, with the optimistic locking of a real API server. */
const objectStore = (objects: Record<string, { metadata: { resourceVersion: string }; [field: string]: unknown }>) => {
  const writes: string[] = [];
  const request: KubernetesRequest = async (method, path, body) => {
    const found = objects[path];
    if (found === undefined) return { status: 404, body: {} };
    if (method === 'GET') return { status: 200, body: structuredClone(found) };
    const updated = structuredClone(body) as typeof found;
    if (updated.metadata.resourceVersion !== found.metadata.resourceVersion) return { status: 409, body: {} };
    updated.metadata.resourceVersion = String(Number(found.metadata.resourceVersion) + 1);
    objects[path] = updated;
    writes.push(path);
    return { status: 200, body: updated };
  };
  return { request, writes, objects };
};
const secretPath = '/api/v1/namespaces/gpumix-system/secrets/gpumix-serving-certificate';
const apiServicePath = (version: string) => `/apis/apiregistration.k8s.io/v1/apiservices/${version}.custom.metrics.k8s.io`;
const metadata = { resourceVersion: '1' };
const leadingTo = (name: string, more = {}) => ({
  metadata,
  spec: { service: { name, namespace: 'gpumix-system', port: 443 }, ...more },
});

const started: ServingCertificate[] = [];
afterEach(() => {
  for (const one of started.splice(0)) one.stop();
});
const start = (kubernetes: KubernetesRequest, more: Partial<SecretOptions> = {}) => {
  const log: string[] = [];
  const note = (level: string) => (fields: object, message: string) => log.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const certificate = certificateFromSecret({
    kubernetes,
    namespace: 'gpumix-system',
    secret: 'gpumix-serving-certificate',
    service: 'gpumix',
    apiServices: ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'],
    leads: () => true,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
    pollMilliseconds: 20,
    ...more,
  });
  started.push(certificate);
  return { certificate, log };
};
const loaded = (certificate: ServingCertificate) => vi.waitFor(() => expect(certificate.problem()).toBeUndefined());
const decode = (text: unknown) => Buffer.from(String(text), 'base64').toString();

test('an empty Secret is filled, and its authority written into our APIServices', async () => {
  const store = objectStore({
    [secretPath]: { metadata },
    [apiServicePath('v1beta1')]: leadingTo('gpumix'),
    [apiServicePath('v1beta2')]: leadingTo('gpumix', { caBundle: 'b2xk' }),
  });
  const { certificate } = start(store.request);
  await loaded(certificate);
  const { data } = store.objects[secretPath] as unknown as { data: Record<string, string> };
  expect(certificate.current()).toEqual({ certificate: decode(data['tls.crt']), privateKey: decode(data['tls.key']) });
  for (const version of ['v1beta1', 'v1beta2']) {
    const { spec } = store.objects[apiServicePath(version)] as unknown as {
      spec: { caBundle: string; service: object };
    };
    expect(spec.caBundle).toBe(data['ca.crt']);
    expect(spec.service).toEqual({ name: 'gpumix', namespace: 'gpumix-system', port: 443 });
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(store.writes).toHaveLength(3); // and then nothing more
});

test.each([
  { name: 'another Service', object: leadingTo('prometheus-adapter') },
  { name: 'nothing (a local group)', object: { metadata, spec: {} } },
  { name: 'us without verification', object: leadingTo('gpumix', { insecureSkipTLSVerify: true }) },
])('an APIService that leads to $name is never changed', async ({ object }) => {
  const store = objectStore({ [secretPath]: { metadata }, [apiServicePath('v1beta1')]: object });
  const { certificate } = start(store.request);
  await loaded(certificate);
  expect(store.writes).toEqual([secretPath]);
  expect(store.objects[apiServicePath('v1beta1')]).toEqual(object);
});

test('a caBundle that somebody spoilt is made true again', async () => {
  const store = objectStore({ [secretPath]: { metadata }, [apiServicePath('v1beta1')]: leadingTo('gpumix') });
  const { certificate } = start(store.request);
  await loaded(certificate);
  const bundle = () => (store.objects[apiServicePath('v1beta1')] as unknown as { spec: { caBundle?: string } }).spec.caBundle;
  const good = bundle();
  store.objects[apiServicePath('v1beta1')] = leadingTo('gpumix', { caBundle: 'c3BvaWx0' });
  await vi.waitFor(() => expect(bundle()).toBe(good));
});

test('a second replica reads what the leader made, and follows its renewals', async () => {
  const store = objectStore({ [secretPath]: { metadata } });
  const follower = start(store.request, { leads: () => false }).certificate;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(follower.problem()).toMatch('still empty');
  const leader = start(store.request, {
    lifetimes: { authoritySeconds: 3600, servingSeconds: 3, overlapSeconds: 1 },
  }).certificate;
  await loaded(leader);
  await loaded(follower);
  const first = follower.current();
  const renewed = vi.fn();
  follower.onChange(renewed);
  await vi.waitFor(() => expect(renewed).toHaveBeenCalled(), 5000);
  expect(follower.current()).not.toEqual(first);
  expect(
    new X509Certificate(follower.current().certificate).verify(
      new X509Certificate(decode((store.objects[secretPath] as unknown as { data: Record<string, string> }).data['ca.crt']))
        .publicKey,
    ),
  ).toBe(true);
});

test('an installation that begins warns of nothing; what fails later names the certificate that stands', async () => {
  const store = objectStore({ [secretPath]: { metadata } });
  let away = false;
  const leads = { now: false };
  const { certificate, log } = start(
    async (...question) => (away ? { status: 500, body: {} } : await store.request(...question)),
    { leads: () => leads.now },
  );
  await vi.waitFor(() => expect(log).toEqual([expect.stringMatching(/^info no serving certificate yet .* is still empty/)]));
  leads.now = true;
  await loaded(certificate);
  away = true;
  await vi.waitFor(() => expect(log.at(-1)).toMatch(/^warn serving certificate not maintained, the last one stands /));
});

test('two leaders by mistake agree on one certificate', async () => {
  const store = objectStore({ [secretPath]: { metadata } });
  const pair = [start(store.request).certificate, start(store.request).certificate] as const;
  await loaded(pair[0]);
  await loaded(pair[1]);
  await vi.waitFor(() => expect(pair[0].current()).toEqual(pair[1].current()));
  expect(store.writes.filter((path) => path === secretPath)).toHaveLength(1);
});

test.each([
  {
    status: 403,
    problem: 'may not get Secret gpumix-system/gpumix-serving-certificate: see the Role gpumix-serving-certificate in manifests/',
  },
  {
    status: 404,
    problem:
      'Secret gpumix-system/gpumix-serving-certificate is gone: kubectl apply --server-side -k manifests puts it back empty, and it is filled again',
  },
  { status: 500, problem: 'cannot get Secret gpumix-system/gpumix-serving-certificate: kube-apiserver answered 500' },
])('a Secret that answers $status is said once, probes are answered meanwhile', async ({ status, problem }) => {
  const { certificate, log } = start(async () => ({ status, body: {} }));
  await vi.waitFor(() => expect(certificate.problem()).toBe(problem));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(log.filter((line) => line.includes(problem))).toEqual([expect.stringMatching(/^warn no serving certificate yet /)]);
  expect(new X509Certificate(certificate.current().certificate).subjectAltName).toContain('gpumix.gpumix-system.svc');
});
