import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { apiUnderTest, asUser } from '../helpers/api-server.ts';

const api = apiUnderTest();
const group = 'custom.metrics.k8s.io';
const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

test.each(['v1beta1', 'v1beta2'])(
  'resources of %s, with nothing known and kube-apiserver away (items 51, 52, 53)',
  async (version) => {
    api.kubernetes.failure = 'unreachable';
    const answer = await api.ask(`/apis/${group}/${version}`, asUser('system:kube-aggregator', ['system:masters']));
    api.kubernetes.failure = null;
    expect(answer.code).toBe(200);
    expect(answer.text).toBe(
      `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"${group}/${version}","resources":[` +
        '{"name":"deployments.apps/gpumix_target_replicas","singularName":"","namespaced":true,"kind":"MetricValueList","verbs":["get"]},' +
        '{"name":"pods/gpumix_target_centi","singularName":"","namespaced":true,"kind":"MetricValueList","verbs":["get"]}]}\n',
    );
  },
);

test('/apis has no apiVersion, and lists both versions, v1beta2 preferred (items 54, 56)', async () => {
  const { body, text } = await api.get('/apis');
  expect(text).toMatch(/^\{"kind":"APIGroupList","groups":\[/);
  const versions = ['v1beta2', 'v1beta1'].map((version) => ({ groupVersion: `${group}/${version}`, version }));
  expect(body.groups).toMatchObject([{ name: group, versions, preferredVersion: versions[0] }]);
  expect((await api.get(`/apis/${group}`)).body).toEqual({
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: group,
    versions,
    preferredVersion: versions[0],
  });
});

test('the aggregated form is populated, and its ETag is the hash of its content (items 57, 59)', async () => {
  const { body, headers } = await api.get('/apis', { accept: aggregated });
  expect(headers['content-type']).toBe(aggregated);
  expect(headers).toMatchObject({ vary: 'Accept', 'cache-control': 'public' });
  expect(body).toMatchObject({ kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {} });
  expect(body.items[0].versions.map(({ version }: { version: string }) => version)).toEqual(['v1beta2', 'v1beta1']);
  expect(body.items[0].versions[0].resources[0]).toEqual({
    resource: 'deployments.apps',
    responseKind: { group: '', version: '', kind: '' },
    scope: 'Namespaced',
    singularResource: '',
    verbs: null,
    subresources: [
      {
        subresource: 'gpumix_target_replicas',
        responseKind: { group: '', version: '', kind: 'MetricValueList' },
        verbs: ['get'],
      },
    ],
  });
  const { kind: _kind, apiVersion: _version, ...list } = body;
  expect(headers.etag).toBe(`"${createHash('sha512').update(JSON.stringify(list)).digest('hex').toUpperCase()}"`);
});

test('If-None-Match with that ETag is 304 without a body (item 60)', async () => {
  const { headers } = await api.get('/apis', { accept: aggregated });
  const again = await api.get('/apis', { accept: aggregated, 'if-none-match': headers.etag ?? '' });
  expect(again).toMatchObject({ code: 304, text: '' });
  expect(again.headers.etag).toBe(headers.etag);
  expect((await api.get('/apis', { accept: aggregated, 'if-none-match': '"other"' })).code).toBe(200);
});

test.each([
  { accept: 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList', code: 406 },
  { accept: 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json', code: 200 },
  { accept: 'application/json,application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList', code: 200 },
])('$accept is not answered in the aggregated form (item 61)', async ({ accept, code }) => {
  const answer = await api.get('/apis', { accept });
  expect(answer.code).toBe(code);
  expect(answer.headers.etag).toBeUndefined();
});

test('client-go asks for v2, v2beta1 and plain in one header (item 57)', async () => {
  const accept = `${aggregated},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`;
  expect((await api.get('/apis', { accept })).headers['content-type']).toBe(aggregated);
});

test('a group that is off is in no list and has no route (item 62)', async () => {
  expect((await api.get('/apis')).text).not.toContain('external');
  expect((await api.get('/apis', { accept: aggregated })).text).not.toContain('external');
  const answer = await api.get('/apis/external.metrics.k8s.io/v1beta1');
  expect(answer.body).toMatchObject({ code: 404, reason: 'NotFound' });
});

test('/openapi/v2 in JSON and protobuf, with validators (item 63)', async () => {
  const json = await api.get('/openapi/v2');
  expect(json.headers).toMatchObject({ 'content-type': 'application/json', vary: 'Accept' });
  expect(json.headers.etag).toBe(`"${createHash('sha512').update(json.bytes).digest('hex').toUpperCase()}"`);
  expect(Object.keys(json.body.paths)).toContain(`/apis/${group}/v1beta2/namespaces/{namespace}/{resource}/{name}/{subresource}`);
  for (const type of ['spec.v2.v1.0+protobuf', 'spec.v2@v1.0+protobuf']) {
    const protobuf = await api.get('/openapi/v2', { accept: `application/com.github.proto-openapi.${type}` });
    expect(protobuf.headers['content-type']).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    expect(protobuf.bytes.subarray(0, 5)).toEqual(Buffer.from('\x0a\x032.0'));
    expect(protobuf.headers.etag).toBe(json.headers.etag);
  }
  expect(await api.get('/openapi/v2', { accept: 'text/html' })).toMatchObject({ code: 406, text: '' });
  const again = await api.get('/openapi/v2', { 'if-none-match': json.headers.etag ?? '' });
  expect(again).toMatchObject({ code: 304, text: '' });
});

test('/openapi/v3 lists both versions by hash; a wrong hash is led to the right one (items 64, 65)', async () => {
  const { body } = await api.get('/openapi/v3');
  expect(Object.keys(body.paths)).toEqual([`apis/${group}/v1beta2`, `apis/${group}/v1beta1`]);
  const { serverRelativeURL } = body.paths[`apis/${group}/v1beta2`];
  const right = await api.get(serverRelativeURL);
  expect(right.headers['cache-control']).toBe('public, immutable');
  expect(right.headers.expires).toBeDefined();
  expect(right.body.openapi).toBe('3.0.0');
  const wrong = await api.get(`/openapi/v3/apis/${group}/v1beta2?hash=0`);
  expect(wrong.code).toBe(301);
  expect(wrong.headers.location).toBe(serverRelativeURL);
  expect(await api.get('/openapi/v3/nothing')).toMatchObject({ code: 200, text: '' });
});

test('every reference in the descriptions leads somewhere (items 63, 64)', async () => {
  const v2 = (await api.get('/openapi/v2')).text;
  const v3 = (await api.get(`/openapi/v3/apis/${group}/v1beta1`)).text;
  for (const text of [v2, v3]) {
    const document = JSON.parse(text);
    const found = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
    expect(found.length).toBeGreaterThan(5);
    for (const path of new Set(found)) {
      const target = path.startsWith('definitions/')
        ? document.definitions[path.slice('definitions/'.length)]
        : document.components.schemas[path.slice('components/schemas/'.length)];
      expect(target, path).toBeDefined();
    }
  }
});

test('/version has the 13 keys, all text, in JSON only (item 66)', async () => {
  const { body, text } = await api.get('/version');
  const keys =
    'major minor emulationMajor emulationMinor minCompatibilityMajor minCompatibilityMinor gitVersion gitCommit gitTreeState buildDate goVersion compiler platform';
  expect(Object.keys(body)).toEqual(keys.split(' '));
  expect(body.gitVersion).toBe('v1.2.3');
  expect(Object.values(body).every((value) => typeof value === 'string')).toBe(true);
  expect(text).toMatch(/^\{\n {2}"major"/);
  expect((await api.get('/version', { accept: 'application/yaml' })).code).toBe(406);
});

test('health endpoints answer ok to anybody (item 67)', async () => {
  for (const path of ['/healthz', '/livez', '/readyz']) {
    const answer = await api.ask(path);
    expect(answer).toMatchObject({ code: 200, text: 'ok' });
    expect(answer.headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
  }
});

test('?verbose and ?exclude (item 68)', async () => {
  const verbose = await api.get('/readyz?verbose&exclude=informer-sync&exclude=nothing');
  expect(verbose.text).toBe(
    '[+]ping ok\n[+]serving-certificate ok\n[+]authentication-config ok\n[+]informer-sync excluded: ok\n[+]shutdown ok\n' +
      'warn: some health checks cannot be excluded: no matches for "nothing"\nreadyz check passed\n',
  );
  api.problems.set('informer-sync', 'deployments not listed yet');
  const failed = await api.get('/readyz');
  expect(failed.code).toBe(500);
  expect(failed.text).toContain('[-]informer-sync failed: deployments not listed yet\n');
  expect(failed.text).toMatch(/readyz check failed\n$/);
  expect(await api.get('/readyz/informer-sync')).toMatchObject({
    code: 500,
    text: 'internal server error: deployments not listed yet',
  });
  expect((await api.get('/readyz?exclude=informer-sync')).code).toBe(200);
  expect((await api.ask('/livez')).code).toBe(200);
  api.problems.clear();
  expect(await api.get('/readyz/ping')).toMatchObject({ code: 200, text: 'ok' });
});

test('sub-checks, /metrics and the index need rights (items 68, 70, 71)', async () => {
  api.kubernetes.allows = () => false;
  for (const path of ['/readyz/ping', '/metrics', '/', '/foo', '/version', '/openapi/v2', '/apis']) {
    expect((await api.ask(path)).code, path).toBe(403);
  }
  api.kubernetes.allows = () => true;
});

test('/ lists the paths; an unknown path is 404 with the same body (item 71)', async () => {
  const index = await api.get('/');
  expect(index.body.paths).toEqual([...index.body.paths].sort());
  expect(index.body.paths).toEqual(
    expect.arrayContaining([`/apis/${group}/v1beta1`, '/livez/ping', '/metrics', '/openapi/v2', '/readyz/shutdown', '/version']),
  );
  const unknown = await api.get('/foo');
  expect(unknown.code).toBe(404);
  expect(unknown.text).toBe(index.text);
  expect(unknown.headers['content-type']).toBe('application/json');
  expect((await api.get('/index.html')).text).toBe(index.text);
});
