import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPlainMetrics } from '../../src/api/plain-metrics.ts';
import { decided, fakeBoard, undecided } from '../helpers/fake-board.ts';

const board = fakeBoard();
const readRoutingPlan = async (model: string): Promise<string | null> => {
  if (model === 'broken') throw new Error('Redis is away');
  return model === 'org/llama 8b' ? '{"version":1}' : null;
};
let server: Awaited<ReturnType<typeof startPlainMetrics>>;
beforeAll(async () => {
  server = await startPlainMetrics(board, '127.0.0.1', 0, readRoutingPlan);
  board.set(decided('serving', 'chat', 3, { 'model.aibrix.ai/name': 'llama "8b"' }));
  board.set(decided('serving', 'idle', 0));
  board.set(undecided('serving', 'blind', 'Redis is away', 2));
});
afterAll(() => server.close());

test.each([
  { path: '/metrics/serving/chat', value: '250', model: '"llama \\"8b\\""' },
  { path: '/metrics/serving/idle', value: '0', model: '"idle"' },
  { path: '/metrics/serving/blind', value: '150', model: '"blind"' },
])('$path is $value', async ({ path, value, model }) => {
  const answer = await fetch(server.url + path);
  expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  const [help, type, sample, end] = (await answer.text()).split('\n');
  expect(help).toMatch(/^# HELP vllm:deployment_replicas /);
  expect([type, sample, end]).toEqual([
    '# TYPE vllm:deployment_replicas gauge',
    `vllm:deployment_replicas{model_name=${model}} ${value}`,
    '',
  ]);
});

test.each(['/metrics/serving/none', '/metrics/other/chat', '/metrics', '/metrics/serving/chat/more', '/', '/apis', '//%'])(
  '%s is not found',
  async (path) => {
    const answer = await fetch(server.url + path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toHaveProperty('error');
  },
);

test.each([
  { path: '/routing/org%2Fllama%208b', status: 200, text: '{"version":1}' },
  { path: '/routing/other', status: 404, text: 'there is no routing plan' },
  { path: '/routing/broken', status: 503, text: 'Redis is away' },
  { path: '/routing/%zz', status: 400, text: 'not percent-encoded' },
])('$path answers $status', async ({ path, status, text }) => {
  const answer = await fetch(server.url + path);
  expect(answer.status).toBe(status);
  expect(await answer.text()).toContain(text);
});

test('it is read-only', async () => {
  expect((await fetch(`${server.url}/metrics/serving/chat`, { method: 'POST', body: '1' })).status).toBe(405);
});

// Node would end the connection by itself after 10 s.
test('one that ends does not wait for those who never asked', { timeout: 9_000 }, async () => {
  const ending = await startPlainMetrics(board, '127.0.0.1', 0, readRoutingPlan);
  const silent = connect(Number(new URL(ending.url).port), '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => silent.once('connect', resolve));
  await ending.close();
});
