import { expect, test } from 'vitest';
import { apiUnderTest, asUser, metricPath } from '../helpers/api-server.ts';
import { decided } from '../helpers/fake-board.ts';

const api = apiUnderTest({ freshEachTest: true });
const web = metricPath('v1beta2', 'web');
const below = '/apis/custom.metrics.k8s.io/v1beta2';

const forbidden = (message: string, details: object) => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  reason: 'Forbidden',
  details,
  code: 403,
});
const group = 'custom.metrics.k8s.io';

test.each([
  {
    name: 'a named object',
    path: web,
    status: forbidden(
      `deployments.apps.${group} "web" is forbidden: User "alice" cannot get resource "deployments.apps/gpumix_target_replicas" in API group "${group}" in the namespace "default"`,
      { name: 'web', group, kind: 'deployments.apps' },
    ),
  },
  {
    name: 'no name',
    path: `${below}/namespaces/default/foo`,
    status: forbidden(
      `foo.${group} is forbidden: User "alice" cannot list resource "foo" in API group "${group}" in the namespace "default"`,
      { group, kind: 'foo' },
    ),
  },
  {
    name: 'the cluster scope',
    path: `${below}/nodes/n1/busy`,
    status: forbidden(
      `nodes.${group} "n1" is forbidden: User "alice" cannot get resource "nodes/busy" in API group "${group}" at the cluster scope`,
      { name: 'n1', group, kind: 'nodes' },
    ),
  },
  {
    name: 'no resource',
    path: '/version',
    status: forbidden('forbidden: User "alice" cannot get path "/version"', {}),
  },
])('403 for $name (item 46)', async ({ path, status }) => {
  api.kubernetes.allows = () => false;
  const answer = await api.ask(path, asUser('alice'));
  expect(answer.code).toBe(403);
  expect(answer.body).toEqual(status);
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
});

test('the reason of the authorizer is passed on, and HTML in it is harmless (item 46)', async () => {
  api.kubernetes.allows = () => ({ allowed: false, reason: '<b>no</b>' });
  const answer = await api.ask(web, asUser('alice'));
  expect(answer.body.message).toMatch(/in the namespace "default": &lt;b&gt;no&lt;\/b&gt;$/);
});

test.each([
  {
    name: 'C1',
    path: web,
    attributes: {
      namespace: 'default',
      verb: 'get',
      group,
      version: 'v1beta2',
      resource: 'deployments.apps',
      subresource: 'gpumix_target_replicas',
      name: 'web',
    },
  },
  {
    name: 'C2',
    path: metricPath('v1beta1', '%2A'),
    attributes: {
      namespace: 'default',
      verb: 'get',
      group,
      version: 'v1beta1',
      resource: 'deployments.apps',
      subresource: 'gpumix_target_replicas',
      name: '*',
    },
  },
  {
    name: 'C3',
    path: `${below}/nodes/n1/busy`,
    attributes: { verb: 'get', group, version: 'v1beta2', resource: 'nodes', subresource: 'busy', name: 'n1' },
  },
  {
    name: 'C4',
    path: `${below}/nodes/*/busy`,
    attributes: { verb: 'get', group, version: 'v1beta2', resource: 'nodes', subresource: 'busy', name: '*' },
  },
  {
    name: 'C5',
    path: `${below}/namespaces/default/metrics/tokens`,
    attributes: { namespace: 'default', verb: 'get', group, version: 'v1beta2', resource: 'metrics', name: 'tokens' },
  },
  {
    name: 'a list',
    path: `${below}/namespaces/default/foo`,
    attributes: { namespace: 'default', verb: 'list', group, version: 'v1beta2', resource: 'foo' },
  },
  {
    name: 'a watch',
    path: `${below}/namespaces/default/foo?watch=1`,
    attributes: { namespace: 'default', verb: 'watch', group, version: 'v1beta2', resource: 'foo' },
  },
])('attributes of $name (item 91)', async ({ path, attributes }) => {
  await api.ask(path, asUser('alice', ['dev']));
  expect(api.kubernetes.reviews).toEqual([
    { resourceAttributes: attributes, user: 'alice', groups: ['dev', 'system:authenticated'] },
  ]);
});

test.each([
  { path: '/apis', verb: 'get' },
  { path: below, verb: 'get' },
  { path: '/readyz/ping', verb: 'get' },
  { path: '/livez/', verb: 'get' },
])('attributes of $path (item 91)', async ({ path, verb }) => {
  await api.ask(path, asUser('alice'));
  expect(api.kubernetes.reviews[0]).toMatchObject({ nonResourceAttributes: { path, verb } });
});

test.each([
  { method: 'POST', verb: 'create' },
  { method: 'PUT', verb: 'update' },
  { method: 'PATCH', verb: 'patch' },
  { method: 'DELETE', verb: 'delete' },
  { method: 'HEAD', verb: 'get' },
])('$method is $verb (item 91)', async ({ method, verb }) => {
  await api.ask(web, { ...asUser('alice'), method });
  expect(api.kubernetes.reviews[0].resourceAttributes.verb).toBe(verb);
});

test('a path is authorized as it is served: an encoded slash is a separator (item 91)', async () => {
  api.board.set(decided('default', 'web', 4));
  const answer = await api.ask(`${below}/namespaces%2Fdefault%2Fdeployments.apps/web/gpumix_target_replicas`, asUser('alice'));
  expect(answer.code).toBe(200);
  expect(api.kubernetes.reviews[0].resourceAttributes).toMatchObject({
    namespace: 'default',
    resource: 'deployments.apps',
    name: 'web',
  });
});

test('system:masters and the three health paths need no review (items 88, 92)', async () => {
  api.kubernetes.allows = () => false;
  api.board.set(decided('default', 'web', 4));
  expect((await api.ask(web, asUser('admin', ['system:masters']))).code).toBe(200);
  for (const path of ['/livez', '/readyz', '/healthz', '/%6civez', '/readyz?verbose'])
    expect((await api.ask(path)).code).toBe(200);
  expect(api.kubernetes.reviews).toEqual([]);
});

test('allowed and refused are remembered, per user and object (item 93)', async () => {
  api.board.set(decided('default', 'web', 4));
  api.kubernetes.allows = ({ user }) => user === 'alice';
  for (let round = 0; round < 3; round += 1) {
    expect((await api.ask(web, asUser('alice'))).code).toBe(200);
    expect((await api.ask(web, asUser('bob'))).code).toBe(403);
  }
  expect(api.kubernetes.reviews.map(({ user }) => user)).toEqual(['alice', 'bob']);
  await api.ask(metricPath('v1beta2', 'other'), asUser('alice'));
  expect(api.kubernetes.reviews).toHaveLength(3);
});

test('what is longer than 10,000 bytes is not remembered (item 93)', async () => {
  const path = metricPath('v1beta2', 'x'.repeat(10_001));
  await api.ask(path, asUser('alice'));
  await api.ask(path, asUser('alice'));
  expect(api.kubernetes.reviews).toHaveLength(2);
});

test('with the review refused by kube-apiserver nothing is served, and that is not remembered (items 93, 94)', async () => {
  api.board.set(decided('default', 'web', 4));
  api.kubernetes.failure = 400;
  const answer = await api.ask(web, asUser('alice'));
  expect(answer.code).toBe(500);
  expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
  expect(answer.headers['x-content-type-options']).toBe('nosniff');
  expect(answer.text).toBe(`Internal Server Error: ${JSON.stringify(web)}: SubjectAccessReview: 400`);
  expect((await api.ask('/apis', asUser('system:kube-aggregator', ['system:masters']))).code).toBe(200);
  api.kubernetes.failure = null;
  expect((await api.ask(web, asUser('alice'))).code).toBe(200);
});

test('without the right to reviews callers are turned away, and the log says once what gives it', async () => {
  const said = (kind: string) =>
    api.log.filter((line) => line.includes(`may not create ${kind}: see the ClusterRoleBinding gpumix-auth-delegator`));
  const token = { headers: { authorization: 'Bearer t1' } };
  api.kubernetes.failure = 403;
  expect((await api.ask(web, asUser('alice'))).code).toBe(500);
  expect((await api.ask(web, asUser('bob'))).code).toBe(500);
  expect((await api.ask(web, token)).code).toBe(401);
  expect([said('SubjectAccessReview').length, said('TokenReview').length]).toEqual([1, 1]);
  api.kubernetes.failure = null;
  await api.ask(web, asUser('carol'));
  api.kubernetes.failure = 403;
  await api.ask(web, asUser('dave'));
  expect([said('SubjectAccessReview').length, said('TokenReview').length]).toEqual([2, 1]);
});

test('unreachable for the whole deadline of the request: 504, nothing served (item 94)', async () => {
  api.kubernetes.failure = 'unreachable';
  const answer = await api.ask(`${web}?timeout=1s`, asUser('alice'));
  expect(answer.body).toMatchObject({ code: 504, reason: 'Timeout' });
});

test('allowed and denied at once is neither (item 94)', async () => {
  api.kubernetes.allows = () => ({ allowed: true, denied: true });
  expect((await api.ask(web, asUser('alice'))).code).toBe(500);
});

test('more than 400 in flight are turned away, except system:masters (item 48)', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  let waiting = 0;
  api.kubernetes.delay = async () => {
    waiting += 1;
    await gate;
  };
  const asked = Array.from({ length: 400 }, (_, index) => api.ask(metricPath('v1beta2', 'd'), asUser(`user-${index}`)));
  while (waiting < 400) await new Promise((resolve) => setTimeout(resolve, 20));
  const turnedAway = await api.ask(web, asUser('alice'));
  expect(turnedAway).toMatchObject({ code: 429, text: 'Too many requests, please try again later.' });
  expect(turnedAway.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' });
  expect((await api.ask('/apis', asUser('admin', ['system:masters']))).code).toBe(200);
  release();
  expect(new Set((await Promise.all(asked)).map(({ code }) => code))).toEqual(new Set([404]));
  expect((await api.ask(web, asUser('alice'))).code).toBe(404);
});

const names = Array.from({ length: 60 }, (_, index) => `web-${index}`);
const askForAll = async (as = asUser('hpa')) => {
  for (const name of names) api.board.set(decided('default', name, 4));
  return await Promise.all(names.map(async (name) => (await api.ask(metricPath('v1beta2', name), as)).code));
};
const namesReviewed = () => api.kubernetes.reviews.map(({ resourceAttributes }) => resourceAttributes.name ?? 'any');

test('who asks for many names through the aggregator, and may have any, is reviewed once for all (items 91, 93)', async () => {
  expect(new Set(await askForAll())).toEqual(new Set([200]));
  expect(namesReviewed().filter((name) => name === 'any')).toHaveLength(1);
  expect(namesReviewed().length).toBeLessThan(2 * 16);
  // The first ones by name, as ever.
  expect(api.kubernetes.reviews[0].resourceAttributes).toMatchObject({ verb: 'get', name: 'web-0' });
  expect(api.kubernetes.reviews.at(-1).resourceAttributes).not.toHaveProperty('name');
});

test('who may have only some names is reviewed for each (items 91, 93)', async () => {
  api.kubernetes.allows = ({ resourceAttributes: { name } }) => name === 'web-7' || name === 'web-50';
  const codes = await askForAll();
  expect(codes.flatMap((code, index) => (code === 200 ? [index] : []))).toEqual([7, 50]);
  expect(new Set(namesReviewed()).size).toBe(61);
});

test('one caller’s right to all names is not another’s, nor that of another namespace or verb (items 91, 93)', async () => {
  await askForAll();
  api.kubernetes.allows = ({ user, resourceAttributes: { namespace } }) => user === 'hpa' && namespace === 'default';
  expect((await api.ask(metricPath('v1beta2', 'web-1'), asUser('bob'))).code).toBe(403);
  expect((await api.ask(metricPath('v1beta2', 'web-1'), asUser('hpa', ['more']))).code).toBe(200);
  const elsewhere = metricPath('v1beta2', 'web-1').replace('/default/', '/other/');
  expect((await api.ask(elsewhere, asUser('hpa'))).code).toBe(403);
  expect((await api.ask(metricPath('v1beta1', 'web-1'), asUser('hpa'))).code).toBe(200);
  expect((await api.ask(metricPath('v1beta2', 'web-1'), { ...asUser('hpa'), method: 'POST' })).code).toBe(405);
  expect(new Set(api.kubernetes.reviews.map(({ resourceAttributes: { verb } }) => verb))).toEqual(new Set(['get', 'create']));
});

test('who comes past the aggregator is reviewed by name, always (items 91, 93)', async () => {
  api.kubernetes.tokens.set('token', { username: 'direct' });
  await askForAll({ headers: { authorization: 'Bearer token' } });
  expect(new Set(api.kubernetes.reviews.flatMap(({ resourceAttributes }) => resourceAttributes?.name ?? []))).toEqual(
    new Set(names),
  );
});
