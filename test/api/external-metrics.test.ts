import { afterAll, beforeAll, expect, test } from 'vitest';
import { customMetrics } from '../../src/api/custom-metrics.ts';
import { externalMetrics } from '../../src/api/external-metrics.ts';
import { type RunningServer, startOpenServer } from '../../src/api/start.ts';
import { decided, fakeBoard, undecided } from '../helpers/fake-board.ts';

const board = fakeBoard();
let server: RunningServer;
beforeAll(async () => {
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  server = await startOpenServer({
    board,
    version: '0.0.0',
    log,
    host: '127.0.0.1',
    port: 0,
    readyChecks: [],
    external: true,
  });
  board.set(decided('default', 'chat-l40s', 3));
  board.set(decided('default', 'chat-h100', 0));
  board.set(undecided('blind', 'chat', 'Redis is away'));
});
afterAll(() => server.drain(0));

const base = '/apis/external.metrics.k8s.io/v1beta1';
const get = async (path: string) => {
  const answer = await fetch(server.url + path);
  const text = await answer.text();
  return { code: answer.status, text, body: JSON.parse(text) };
};
const values = (body: { items: { value: string }[] }) => body.items.map(({ value }) => value);

test('byte for byte (items 8, 22)', async () => {
  const { text } = await get(`${base}/namespaces/default/gpumix-chat-l40s`);
  expect(text).toBe(
    '{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},"items":[{"metricName":"gpumix-chat-l40s","metricLabels":{},"timestamp":"2026-09-30T12:00:05Z","value":"250"}]}\n',
  );
});

test.each([
  { query: '?labelSelector=deployment%3Dchat-l40s', found: ['3'] },
  { query: '?labelSelector=deployment%3Dchat-h100', found: ['0'] },
  { query: '?labelSelector=deployment%3Dnone', found: [] },
  { query: '', found: ['3', '0'] },
])('gpumix_target_replicas$query is $found (items 9, 32)', async ({ query, found }) => {
  const { code, body } = await get(`${base}/namespaces/default/gpumix_target_replicas${query}`);
  expect(code).toBe(200);
  expect(values(body)).toEqual(found);
  for (const item of body.items) expect(item.metricLabels.deployment).toMatch(/^chat-/);
});

test.each(['unknown', 'gpumix-none', 'namespaces'])('%s is 200 with no items (items 10, 31)', async (metric) => {
  expect(await get(`${base}/namespaces/default/${metric}`)).toMatchObject({ code: 200, body: { items: [] } });
});

test.each(['gpumix-chat', 'gpumix_target_replicas'])('%s of an undecided Deployment is 503 (items 34, 49)', async (metric) => {
  const { code, body } = await get(`${base}/namespaces/blind/${metric}`);
  expect(code).toBe(503);
  expect(body).toMatchObject({ reason: 'ServiceUnavailable', message: 'chat: Redis is away' });
});

test('watching is not supported (item 15)', async () => {
  const { code, body } = await get(`${base}/namespaces/default/gpumix-chat-l40s?watch=true`);
  expect(code).toBe(405);
  expect(body).toMatchObject({
    message: 'external metrics cannot be watched',
    details: { group: 'external.metrics.k8s.io', kind: '*' },
  });
});

test.each(['resourceVersionMatch=Exact', 'resourceVersionMatch=x&resourceVersion=1', 'sendInitialEvents=true'])(
  '?%s is 422 (item 16)',
  async (query) => {
    const { code, body } = await get(`${base}/namespaces/default/gpumix-chat-l40s?${query}`);
    expect(code).toBe(422);
    expect(body).toMatchObject({ reason: 'Invalid', code: 422 });
    expect(body.details.causes).toHaveLength(1);
  },
);

test.each(['/namespaces/default', '/namespaces/default/a/b', '/nodes/x/y', '/a'])('%s has no route (item 13)', async (path) => {
  expect(await get(base + path)).toMatchObject({ code: 404, body: { reason: 'NotFound', details: {} } });
});

test('both groups are listed, custom first (items 52, 54)', async () => {
  const { body } = await get('/apis');
  expect(body.groups.map(({ name }: { name: string }) => name)).toEqual([customMetrics.name, externalMetrics.name]);
  expect((await get(base)).body.resources).toEqual([
    {
      name: 'gpumix_target_replicas',
      singularName: '',
      namespaced: true,
      kind: 'ExternalMetricValueList',
      verbs: ['get'],
    },
  ]);
});
