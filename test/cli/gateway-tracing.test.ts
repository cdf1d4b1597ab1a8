import { expect, test } from 'vitest';
import { askForGateway, tracingFindings, tracingSwitches } from '../../src/cli/gateway-tracing.ts';

const [flag, sync, tokenizer] = tracingSwitches('v0.7.0') as [string, string, string];
const gateway = (image: string, env: Readonly<Record<string, string>>, more: object = {}) => ({
  status: 200,
  body: {
    items: [
      {
        metadata: { namespace: 'aibrix-system', name: 'aibrix-gateway-plugins' },
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'sidecar', image: 'envoy:1' },
                { name: 'gateway-plugin', image, env: Object.entries(env).map(([name, value]) => ({ name, value })), ...more },
              ],
            },
          },
        },
      },
    ],
  },
});

test('the flag alone writes nothing from v0.4 on, and what is missing is what is printed', () => {
  const [found] = tracingFindings(gateway('aibrix/gateway-plugins:v0.7.0', { [flag]: 'true' }));
  expect(found).toMatchObject({
    id: 'tracing-off',
    object: 'Deployment aibrix-system/aibrix-gateway-plugins (v0.7.0)',
    seen: `writes no request records: ${sync} and ${tokenizer} are not true`,
    mend: `kubectl set env deployment/aibrix-gateway-plugins -n aibrix-system -c gateway-plugin ${sync}=true ${tokenizer}=true`,
  });
});

test('a gateway that traces, or whose environment comes from elsewhere, is not judged', () => {
  const on = { [flag]: 'true', [sync]: '1', [tokenizer]: 'T' };
  expect(tracingFindings(gateway('aibrix/gateway-plugins:v0.7.0', on))).toEqual([]);
  expect(tracingFindings(gateway('aibrix/gateway-plugins:v0.7.0', {}, { envFrom: [{}] }))).toEqual([]);
  const from = { env: [flag, sync, tokenizer].map((name) => ({ name, valueFrom: {} })) };
  expect(tracingFindings(gateway('aibrix/gateway-plugins:v0.7.0', {}, from))).toEqual([]);
  expect(tracingFindings({ status: 403, body: null })).toEqual([]);
});

test('each release has its own switches', () => {
  expect(tracingSwitches('v0.2.1')).toEqual([]);
  expect(tracingSwitches('v0.3.0')).toEqual([flag]);
  expect(tracingSwitches('v0.4.1')).toEqual([flag, 'AIBRIX_KV_EVENT_SYNC_ENABLED', 'AIBRIX_USE_REMOTE_TOKENIZER']);
  expect(tracingSwitches(null)).toEqual([flag, sync, tokenizer]);
});

test('the gateway is asked for by its name or by labels', async () => {
  const paths: string[] = [];
  const ask = async (_method: string, path: string) => {
    paths.push(path);
    return { status: 404, body: null };
  };
  await askForGateway(ask, 'aibrix-gateway-plugins');
  await askForGateway(ask, 'app=gateway,tier=front');
  expect(paths).toEqual([
    '/apis/apps/v1/deployments?fieldSelector=metadata.name%3Daibrix-gateway-plugins',
    '/apis/apps/v1/deployments?labelSelector=app%3Dgateway%2Ctier%3Dfront',
  ]);
});
