import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { buildServer } from '../../src/api/api-server.ts';
import { isCredentialHeader } from '../../src/api/authentication.ts';
import { customMetrics } from '../../src/api/custom-metrics.ts';
import { metricPath } from '../helpers/api-server.ts';
import { decided, fakeBoard } from '../helpers/fake-board.ts';

const config = {
  current: () => ({
    clientAuthorities: null,
    frontProxy: {
      authorities: [],
      allowedNames: [],
      userHeaders: ['x-user'],
      uidHeaders: [],
      groupHeaders: ['x-gang'],
      extraPrefixes: ['x-more-'],
    },
  }),
  refresh: async () => {},
  stop: () => {},
};
const user = { name: 'alice', uid: '', groups: [], extra: {}, aggregated: false };

const plainServer = (seen: object[] = []) => {
  const board = fakeBoard();
  board.set(decided('default', 'web', 4));
  const app = buildServer({
    board,
    groups: [customMetrics],
    version: '0.0.0',
    certificate: null,
    access: {
      authenticate: async () => user,
      authorize: async () => {},
      isCredentialHeader: (name) => isCredentialHeader(config, name),
    },
    readyChecks: [],
    registry: new Registry(),
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  app.addHook('preHandler', async ({ headers }) => {
    seen.push({ ...headers });
  });
  return app;
};

test('nothing behind authentication sees credentials (item 96)', async () => {
  const seen: Record<string, string>[] = [];
  const headers = {
    authorization: 'Bearer t',
    'x-remote-user': 'a',
    'x-remote-uid': 'b',
    'x-remote-group': 'c',
    'x-remote-extra-scopes': 'd',
    'x-user': 'e',
    'x-gang': 'f',
    'x-more-scopes': 'g',
    accept: '*/*',
  };
  await plainServer(seen).inject({ url: metricPath('v1beta2', 'web'), headers });
  expect(Object.keys(seen[0] ?? {}).sort()).toEqual(['accept', 'host', 'user-agent']);
});

test('/metrics shows how old the data were that were served, and the requests (item 70)', async () => {
  const app = plainServer();
  await app.inject(metricPath('v1beta2', 'web'));
  await app.inject(metricPath('v1beta2', 'none'));
  const { body, headers } = await app.inject('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(body).toContain('metrics_apiserver_metric_freshness_seconds_count{group="custom.metrics.k8s.io"} 1\n');
  expect(body).toContain('apiserver_request_total{verb="get",group="custom.metrics.k8s.io",code="200"} 1\n');
  expect(body).toContain('apiserver_request_total{verb="get",group="",code="404"} 1\n');
  expect(body).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1\n');
});
