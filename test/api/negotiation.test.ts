import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { apiUnderTest, asUser, metricPath } from '../helpers/api-server.ts';
import { decided } from '../helpers/fake-board.ts';

const api = apiUnderTest();
const web = metricPath('v1beta2', 'web');
const protobuf = 'application/vnd.kubernetes.protobuf';

beforeAll(() => {
  api.board.set(decided('default', 'web', 4));
  for (let index = 0; index < 800; index += 1) api.board.set(decided('many', `deployment-${index}`, index));
});

test.each([
  { item: '72', accept: `${protobuf}, */*`, type: protobuf },
  { item: '74', accept: '*/*', type: 'application/json' },
  { item: '74', accept: '', type: 'application/json' },
  { item: '75', accept: 'application/yaml', type: 'application/yaml' },
  { item: '76', accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json', type: 'application/json' },
  {
    item: '77',
    accept: 'application/json;q=0.1, application/yaml;q=0.5, application/vnd.kubernetes.protobuf;q=0.2',
    type: 'application/yaml',
  },
  { item: '77', accept: '*/*, application/yaml', type: 'application/yaml' },
  { item: '77', accept: 'text/html, application/json', type: 'application/json' },
  { item: '77', accept: 'nonsense, application/json', type: 'application/json' },
])('$item: Accept "$accept" gets $type', async ({ accept, type }) => {
  const answer = await api.get(web, accept === '' ? {} : { accept });
  expect(answer.code).toBe(200);
  expect(answer.headers['content-type']).toBe(type);
});

const available =
  '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
const onlyThese =
  'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf';
test.each([
  { accept: 'text/html', message: available },
  { accept: 'application/*', message: available },
  { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1', message: onlyThese },
])('$accept is not acceptable, said in pretty JSON (item 44)', async ({ accept, message }) => {
  const answer = await api.get(web, { accept });
  expect(answer.code).toBe(406);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.body).toMatchObject({ reason: 'NotAcceptable', message, code: 406 });
  expect(answer.text).toMatch(/^\{\n {2}"kind": "Status"/);
});

test('what is not acceptable is refused before it is looked up, and a real failure is not hidden (item 44)', async () => {
  expect((await api.get(metricPath('v1beta2', 'none'), { accept: 'text/html' })).code).toBe(406);
  expect((await api.get('/apis/other/v1', { accept: 'text/html' })).code).toBe(404);
});

test('the worked example of 179 bytes (items 72, 73)', async () => {
  api.board.set(decided('default', 'deepseek-coder-7b-l20', 4));
  const { bytes } = await api.get(metricPath('v1beta2', 'deepseek-coder-7b-l20'), { accept: protobuf });
  // the example's metric is called gpu_optimizer_target_replicas: 7 bytes longer in one text and the four lengths around it
  const example = Buffer.from(
    `6b387300 0a30 0a1d 637573746f6d2e6d6574726963732e6b38732e696f2f76316265746132
     120f 4d657472696356616c75654c697374
     1270 0a06 0a00 1200 1a00
     1266 0a3b 0a0a 4465706c6f796d656e74 1207 64656661756c74
     1a15 646565707365656b2d636f6465722d37622d6c3230 2200 2a07 617070732f7631 3200 3a00
     1218 0a16 6770756d69785f7461726765745f7265706c69636173
     1a08 08c5f3f3d506 1000 2a03 0a01 34
     1a00 2200`.replace(/\s/g, ''),
    'hex',
  );
  expect(bytes.toString('hex')).toBe(example.toString('hex'));
});

test('v1beta1 and a selector in protobuf (item 72)', async () => {
  const { bytes } = await api.get(`${metricPath('v1beta1', 'web')}?metricLabelSelector=!gpu`, { accept: protobuf });
  expect(bytes.subarray(0, 4).toString('hex')).toBe('6b387300');
  // 6: LabelSelector { 2: Requirement { gpu, DoesNotExist } }
  expect(bytes.toString('hex')).toContain(
    `3215121${'3'}0a03${Buffer.from('gpu').toString('hex')}120c${Buffer.from('DoesNotExist').toString('hex')}`,
  );
});

test('errors follow negotiation (item 45)', async () => {
  const { code, headers, bytes } = await api.get(metricPath('v1beta2', 'none'), { accept: protobuf });
  expect(code).toBe(404);
  expect(headers['content-type']).toBe(protobuf);
  expect(bytes.subarray(0, 4).toString('hex')).toBe('6b387300');
  expect(bytes.toString()).toContain('the server could not find the metric gpumix_target_replicas for deployments.apps none');
  const yaml = await api.get(metricPath('v1beta2', 'none'), { accept: 'application/yaml' });
  expect(parse(yaml.text)).toMatchObject({ kind: 'Status', code: 404 });
});

test('YAML has sorted keys in block style, and says the same as JSON (item 75)', async () => {
  const yaml = await api.get(web, { accept: 'application/yaml' });
  expect(yaml.text).toBe(`apiVersion: custom.metrics.k8s.io/v1beta2
items:
- describedObject:
    apiVersion: apps/v1
    kind: Deployment
    name: web
    namespace: default
  metric:
    name: gpumix_target_replicas
    selector: null
  timestamp: "2026-09-30T12:00:05Z"
  value: "4"
kind: MetricValueList
metadata: {}
`);
  expect(parse(yaml.text)).toEqual((await api.get(web)).body);
});

test.each([
  { item: '28, 78', query: '?pretty=true', headers: {}, pretty: true },
  { item: '78', query: '', headers: { 'user-agent': 'curl/8.0' }, pretty: true },
  { item: '78', query: '?pretty=false', headers: { 'user-agent': 'curl/8.0' }, pretty: false },
  { item: '78', query: '?pretty=yes', headers: {}, pretty: false },
  { item: '78', query: '', headers: { accept: 'application/json;pretty=1' }, pretty: true },
  { item: '28, 78', query: '', headers: { 'user-agent': 'kubectl/v1.37' }, pretty: false },
])('$item: $query $headers: pretty $pretty', async ({ query, headers, pretty }) => {
  const { text, body } = await api.get(web + query, headers);
  expect(text).toBe(pretty ? JSON.stringify(body, null, 2) : `${JSON.stringify(body)}\n`);
});

test('what HTML could mistake is escaped (item 29)', async () => {
  const { text } = await api.get(metricPath('v1beta2', encodeURIComponent('<a&b>')));
  expect(text).toContain('deployments.apps \\u003ca\\u0026b\\u003e');
});

test('gzip above 128 KiB, and only when asked for (item 79)', async () => {
  const all = metricPath('v1beta2', '*', 'gpumix_target_replicas', 'many');
  const gzip = { 'accept-encoding': 'gzip' };
  const big = await api.get(all, gzip);
  expect(big.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
  expect(big.bytes.length).toBeLessThan(40_000);
  const plain = await api.get(all);
  expect(plain.headers['content-encoding']).toBeUndefined();
  expect(big.text).toBe(plain.text);
  expect((await api.get(all, { 'accept-encoding': 'gzip;q=1' })).headers['content-encoding']).toBeUndefined();
  expect((await api.get(web, gzip)).headers['content-encoding']).toBeUndefined();
});

test('headers of every answer (items 80, 81)', async () => {
  const answers = [
    await api.get(web),
    await api.get(metricPath('v1beta2', 'none')),
    await api.get('/foo'),
    await api.ask('/readyz'),
    await api.get(web, {}, 'POST'),
    await api.ask('/%zz', asUser('hpa')),
  ];
  for (const { headers } of answers) {
    expect(headers['cache-control']).toBe('no-cache, private');
    expect(headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.server ?? headers['x-powered-by'] ?? headers.etag).toBeUndefined();
  }
  expect((await api.get(web, { 'Audit-ID': 'mine' })).headers['audit-id']).toBe('mine');
});
