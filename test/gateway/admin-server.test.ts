import { Gauge, Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAdminServer } from '../../src/gateway/admin-server.ts';

const registry = new Registry();
new Gauge({ name: 'one', help: 'one', registers: [registry] }).set(1);
let why: string | null = null;
let server: Awaited<ReturnType<typeof startAdminServer>>;
beforeAll(async () => {
  server = await startAdminServer(registry, () => why, '127.0.0.1', 0);
});
afterAll(() => server.close());

test.each([
  { path: '/metrics?x', notReady: null, status: 200, text: '# HELP one one\n# TYPE one gauge\none 1\n' },
  { path: '/livez', notReady: 'draining', status: 200, text: 'ok\n' },
  { path: '/readyz', notReady: null, status: 200, text: 'ok\n' },
  { path: '/readyz', notReady: 'draining', status: 503, text: 'draining\n' },
  { path: '/other', notReady: null, status: 404, text: '' },
])('$path answers $status', async ({ path, notReady, status, text }) => {
  why = notReady;
  const answer = await fetch(server.url + path);
  expect(answer.status).toBe(status);
  expect(await answer.text()).toBe(text);
});
