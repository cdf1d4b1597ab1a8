import { beforeAll, expect, test } from 'vitest';
import { apiUnderTest, asUser, metricPath } from '../helpers/api-server.ts';
import { asOf, decided, undecided } from '../helpers/fake-board.ts';

// Numbers are items of apiservice/CONFORMANCE.md.

const api = apiUnderTest();
const name = 'deepseek-coder-7b-l20';
const one = metricPath('v1beta2', name);
const names = (body: { items: { describedObject: { name: string } }[] }) =>
  body.items.map(({ describedObject }) => describedObject.name);

beforeAll(() => {
  api.board.set(decided('default', name, 4, { gpu: 'l20', app: 'deepseek' }));
  api.board.set(decided('default', 'llama-h100', 12_000, { gpu: 'h100' }));
  api.board.set(decided('default', 'idle', 0, { gpu: 'l20' }));
  api.board.set(undecided('default', 'blind', 'no request record of model llama-8b for 312 s', 2));
  api.board.set(decided('other', name, 9));
  for (const [deployment, pod] of [
    [name, 'deepseek-a'],
    [name, 'deepseek-b'],
    ['idle', 'idle-a'],
    ['blind', 'blind-a'],
  ] as const) {
    api.board.addPod({ namespace: 'default', name: pod, deployment, labels: { app: deployment } });
  }
});

test.each([
  {
    name: 'the target of one Deployment (items 1, 22 to 26)',
    version: 'v1beta2',
    text: `{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta2","metadata":{},"items":[{"describedObject":{"kind":"Deployment","namespace":"default","name":"${name}","apiVersion":"apps/v1"},"metric":{"name":"gpumix_target_replicas","selector":null},"timestamp":"2026-09-30T12:00:05Z","value":"4"}]}\n`,
  },
  {
    name: 'the same in the older version (items 2, 22, 23)',
    version: 'v1beta1',
    text: `{"kind":"MetricValueList","apiVersion":"custom.metrics.k8s.io/v1beta1","metadata":{},"items":[{"describedObject":{"kind":"Deployment","namespace":"default","name":"${name}","apiVersion":"apps/v1"},"metricName":"gpumix_target_replicas","timestamp":"2026-09-30T12:00:05Z","value":"4","selector":null}]}\n`,
  },
])('$name: $version, byte for byte', async ({ version, text }) => {
  const answer = await api.get(metricPath(version, name));
  expect(answer.code).toBe(200);
  expect(answer.text).toBe(text);
  expect(answer.headers['content-type']).toBe('application/json');
});

test('the wildcard, encoded and bare (item 3)', async () => {
  const bare = await api.get(metricPath('v1beta2', '*'));
  const encoded = await api.get(metricPath('v1beta2', '%2A'));
  expect(encoded.text).toBe(bare.text);
  expect(names(bare.body)).toEqual([name, 'llama-h100', 'idle']);
});

test.each([
  { selector: 'gpu=l20', found: [name, 'idle'] },
  { selector: 'gpu in (h100,a100)', found: ['llama-h100'] },
  { selector: 'gpu!=l20', found: ['llama-h100'] },
  { selector: '!app', found: ['llama-h100', 'idle'] },
  { selector: 'gpu=tpu', found: [] },
])('labelSelector $selector (items 4, 5, 31)', async ({ selector, found }) => {
  const answer = await api.get(`${metricPath('v1beta2', '*')}?labelSelector=${encodeURIComponent(selector)}`);
  expect(answer.code).toBe(200);
  expect(names(answer.body)).toEqual(found);
  expect(answer.text).not.toContain('"items":null');
});

test('a wildcard leaves out what is not decided (items 5, 34)', async () => {
  expect(names((await api.get(metricPath('v1beta2', '*'))).body)).not.toContain('blind');
});

test('metricLabelSelector is echoed; ours have no labels, so only what selects none matches (item 11)', async () => {
  const query = `?metricLabelSelector=${encodeURIComponent('!tier,gpu notin (l40s,h100)')}`;
  const expressions = [
    { key: 'gpu', operator: 'NotIn', values: ['h100', 'l40s'] },
    { key: 'tier', operator: 'DoesNotExist' },
  ];
  const v1beta2 = await api.get(metricPath('v1beta2', name) + query);
  expect(v1beta2.body.items[0].metric.selector).toEqual({ matchExpressions: expressions });
  const v1beta1 = await api.get(metricPath('v1beta1', name) + query);
  expect(v1beta1.body.items[0].selector).toEqual({ matchExpressions: expressions });
});

test('a trailing slash on any API path (item 12)', async () => {
  const root = '/apis/custom.metrics.k8s.io';
  for (const path of [one, metricPath('v1beta1', '*'), '/apis', root, `${root}/v1beta1`, `${root}/v1beta2`]) {
    expect((await api.get(`${path}/`)).text).toBe((await api.get(path)).text);
  }
});

const below = '/apis/custom.metrics.k8s.io/v1beta2';
const notFound = {
  code: 404,
  reason: 'NotFound',
  message: 'the server could not find the requested resource',
  details: {},
};
const badPath = { code: 400, reason: 'BadRequest', message: 'invalid request path' };
const noMetric = (message: string) => ({ code: 404, reason: 'NotFound', message });
const unknown = 'the server could not find the metric';
test.each([
  { item: '13, 39', path: `${one}/more`, status: notFound },
  { item: '13', path: `${below}/namespaces/default/pods/x`, status: notFound },
  { item: '13', path: `${below}/foo`, status: notFound },
  { item: '13', path: `${below}/namespaces/default/deployments.apps//gpumix_target_replicas`, status: notFound },
  { item: '13', path: '/apis/custom.metrics.k8s.io/v1', status: notFound },
  { item: '62', path: '/apis/other.metrics.k8s.io/v1beta1', status: notFound },
  { item: '14', path: `${below}/namespaces/default/foo`, status: badPath },
  { item: '14', path: `${below}/namespaces/default/metrics`, status: badPath },
  {
    item: '36',
    path: metricPath('v1beta2', 'none'),
    status: noMetric(`${unknown} gpumix_target_replicas for deployments.apps none`),
  },
  {
    item: '36',
    path: metricPath('v1beta2', name, 'gpumix_target_replicas', 'empty'),
    status: noMetric(`${unknown} gpumix_target_replicas for deployments.apps ${name}`),
  },
  {
    item: '36',
    path: `${below}/namespaces/default/deployment/none/gpumix_target_replicas`,
    status: noMetric(`${unknown} gpumix_target_replicas for deployments.apps none`),
  },
  {
    item: '37',
    path: `${below}/namespaces/default/deployments.apps/${name}/cpu`,
    status: noMetric(`${unknown} cpu for deployments.apps`),
  },
  {
    item: '37',
    path: `${below}/namespaces/default/metrics/tokens`,
    status: noMetric(`${unknown} tokens for namespaces`),
  },
  { item: '42', path: `${below}/namespaces/default/foos/x/m`, status: noMetric(`${unknown} m for foos`) },
  {
    item: '38',
    path: `${one}?metricLabelSelector=gpu%3Dl20`,
    status: noMetric(`${unknown} gpumix_target_replicas for deployments.apps ${name} with selector gpu=l20`),
  },
])('$item, 43: $path', async ({ path, status }) => {
  const answer = await api.get(path);
  expect(answer.code).toBe(status.code);
  const { code, ...rest } = status;
  expect(answer.body).toEqual({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...rest, code });
});

test.each([
  { item: '16', query: 'limit=abc', message: 'limit is not an integer: "abc"' },
  {
    item: '16',
    query: 'timeoutSeconds=9223372036854775808',
    message: 'timeoutSeconds is not an integer: "9223372036854775808"',
  },
  { item: '17', query: 'timeout=abc', message: 'timeout is not a duration: "abc"' },
  {
    item: '18',
    query: 'fieldSelector=metadata.name%3Dother',
    message: 'fieldSelector: metadata.name is not the name in the path',
  },
  {
    item: '18',
    query: 'fieldSelector=status.phase%3DRunning',
    message: 'fieldSelector: only metadata.name and metadata.namespace: status.phase=Running',
  },
  { item: '40', query: 'labelSelector=a%20in', message: 'not a label selector: "a in" is no requirement' },
])('$item: ?$query is a bad request', async ({ query, message }) => {
  const answer = await api.get(`${one}?${query}`);
  expect(answer.code).toBe(400);
  expect(answer.body).toMatchObject({ reason: 'BadRequest', message, code: 400 });
});

test.each([
  { item: '15', query: 'watch=true' },
  { item: '18', query: `fieldSelector=metadata.name%3D${name}` },
  { item: '19', query: 'whatever=1&pretty=' },
  { item: '16', query: 'limit=500&continue=x&resourceVersion=0' },
  { item: '17', query: 'timeout=1m30s' },
])('$item: ?$query changes nothing', async ({ query }) => {
  const answer = await api.get(`${one}?${query}`);
  expect(answer.code).toBe(200);
  expect(answer.text).toBe((await api.get(one)).text);
});

test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'PROPFIND'])('%s is not allowed (item 20)', async (method) => {
  const answer = await api.get(one, {}, method);
  expect(answer.code).toBe(405);
  expect(answer.headers['allow']).toBeUndefined();
  if (method !== 'HEAD') {
    const message = 'the server does not allow this method on the requested resource';
    expect(answer.body).toMatchObject({ reason: 'MethodNotAllowed', message, details: {} });
  }
});

test('a body on GET is ignored (item 20)', async () => {
  const { headers, ...hpa } = asUser('hpa');
  const answer = await api.ask(one, { ...hpa, headers: { ...headers, 'content-length': '7' }, content: '{"x":1}' });
  expect(answer.code).toBe(200);
});

test.each([
  { replicas: 4, path: metricPath('v1beta2', name), value: '4' },
  { replicas: 12_000, path: metricPath('v1beta2', 'llama-h100'), value: '12k' },
  { replicas: 0, path: metricPath('v1beta2', 'idle'), value: '0' },
])('$replicas replicas are $value (items 27, 33, 35)', async ({ path, value }) => {
  expect((await api.get(path)).body.items[0].value).toBe(value);
});

test.each([
  { pod: 'deepseek-a', value: '350', why: 'half a replica below 4' },
  { pod: 'deepseek-b', value: '350', why: 'the same for every pod' },
  { pod: 'idle-a', value: '0', why: 'zero is zero' },
  { pod: 'blind-a', value: '150', why: 'the standing target where nothing is decided: never an error' },
])('pods/$pod is $value: $why (items 30, 108)', async ({ pod, value }) => {
  const answer = await api.get(metricPath('v1beta2', pod, 'gpumix_target_centi'));
  expect(answer.code).toBe(200);
  expect(answer.body.items).toHaveLength(1);
  expect(answer.body.items[0]).toMatchObject({
    describedObject: { kind: 'Pod', namespace: 'default', name: pod, apiVersion: '/v1' },
    value,
  });
});

test('pods by selector, one item per pod, named like it (item 108)', async () => {
  const answer = await api.get(`${metricPath('v1beta2', '%2A', 'gpumix_target_centi')}?labelSelector=app%3D${name}`);
  expect(names(answer.body)).toEqual(['deepseek-a', 'deepseek-b']);
});

test('a pod that is not of a model is not found', async () => {
  const answer = await api.get(metricPath('v1beta2', 'stranger', 'gpumix_target_centi'));
  expect(answer.body).toMatchObject({ code: 404, message: `${unknown} gpumix_target_centi for pods stranger` });
});

test('what is not decided is 503 with the reason, and nobody is told when to try again (items 34, 49, 50)', async () => {
  const answer = await api.get(metricPath('v1beta2', 'blind'));
  expect(answer.code).toBe(503);
  expect(answer.headers['retry-after']).toBeUndefined();
  expect(answer.body).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'no request record of model llama-8b for 312 s',
    reason: 'ServiceUnavailable',
    code: 503,
  });
});

test('a failure of ours shows nothing of its inside, and is logged (item 50)', async () => {
  const { target } = api.board;
  Object.assign(api.board, {
    target: () => {
      throw new Error('secret detail');
    },
  });
  const answer = await api.get(one);
  Object.assign(api.board, { target });
  expect(answer.code).toBe(500);
  expect(answer.text).not.toContain('secret detail');
  expect(api.log.join()).toContain('secret detail');
});

test('the time of an item is that of the data behind it', async () => {
  expect(Date.parse((await api.get(one)).body.items[0].timestamp) / 1000).toBe(asOf);
});
