import { expect, test } from 'vitest';
import { type EndpointSliceObject, modelEndpoints, servicePods } from '../../src/cluster/endpoint-slices.ts';
import type { DeploymentPod } from '../../src/cluster/pods.ts';
import { deployment } from '../helpers/deployments.ts';

const endpoint = (name: string, address: string, conditions: object = { ready: true }) => ({
  addresses: [address],
  conditions,
  targetRef: { kind: 'Pod', namespace: 'ns', name },
});
const slice = (more: Partial<EndpointSliceObject> = {}): EndpointSliceObject => ({
  metadata: { name: 'llama-x1', namespace: 'ns', labels: { 'kubernetes.io/service-name': 'llama' } },
  addressType: 'IPv4',
  endpoints: [endpoint('a-1', '10.0.0.1')],
  ports: [{ name: 'http', port: 8000, protocol: 'TCP' }],
  ...more,
});
const origins = (given: EndpointSliceObject) => servicePods(given)?.pods.map(({ origin }) => origin) ?? null;

test('pods that are Ready and not on their way out', () => {
  const endpoints = [
    endpoint('a-1', '10.0.0.1'),
    endpoint('a-2', '10.0.0.2', { ready: false }),
    endpoint('a-3', '10.0.0.3', { ready: true, terminating: true }),
    endpoint('a-4', '10.0.0.4', {}),
    { addresses: ['10.0.0.5'], conditions: { ready: true } },
  ];
  expect(servicePods(slice({ endpoints }))).toEqual({
    service: 'llama',
    pods: [
      { pod: 'ns/a-1', origin: 'http://10.0.0.1:8000' },
      { pod: 'ns/a-4', origin: 'http://10.0.0.4:8000' },
    ],
  });
});

test.each([
  [[{ port: 80 }], ['http://10.0.0.1:80']],
  [
    [
      { name: 'metrics', port: 9 },
      { name: 'serve', port: 8 },
    ],
    ['http://10.0.0.1:8'],
  ],
  [
    [
      { name: 'x', port: 9 },
      { name: 'y', port: 8 },
    ],
    ['http://10.0.0.1:9'],
  ],
  [[{ name: 'udp', port: 9, protocol: 'UDP' }], null],
  [[], null],
  [null, null],
])('of the ports %j the one for requests', (ports, found) => {
  expect(origins(slice({ ports }))).toEqual(found);
});

test('an IPv6 address stands in brackets; a name is no address', () => {
  expect(origins(slice({ addressType: 'IPv6', endpoints: [endpoint('a-1', 'fd00::1')] }))).toEqual([
    'http://[fd00::1]:8000',
  ]);
  expect(origins(slice({ addressType: 'FQDN' }))).toBeNull();
  expect(origins(slice({ endpoints: null }))).toEqual([]);
});

test('origins by model, alias and Deployment; one without pods is there, a pod counts once', () => {
  const deployments = new Map([
    ['ns/a', { ...deployment('a', {}), model: 'llama', aliases: ['lora'] }],
    ['ns/b', { ...deployment('b', {}), model: 'llama', aliases: [] }],
  ]);
  const pods = new Map(
    ['a-1', 'a-2', 'stray'].map((name) => [
      `ns/${name}`,
      { namespace: 'ns', name, deployment: name === 'stray' ? '' : 'a' } as DeploymentPod,
    ]),
  );
  const named = (service: string, ...names: readonly string[]) => ({
    service,
    pods: names.map((name) => ({ pod: `ns/${name}`, origin: `http://${service}-${name}:1` })),
  });
  const slices = [named('second', 'a-1', 'stray', 'unknown'), named('first', 'a-2', 'a-1')];
  const variants = new Map([
    ['ns/a', ['http://first-a-1:1', 'http://first-a-2:1']],
    ['ns/b', []],
  ]);
  expect(modelEndpoints(deployments, pods, slices)).toEqual(
    new Map([
      ['llama', variants],
      ['lora', new Map([['ns/a', variants.get('ns/a')]])],
    ]),
  );
});
