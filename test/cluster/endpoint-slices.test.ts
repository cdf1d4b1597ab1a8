import { expect, test } from 'vitest';
import { type EndpointSliceObject, servicePods } from '../../src/cluster/endpoint-slices.ts';

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
    named: ['ns/a-1', 'ns/a-2', 'ns/a-3', 'ns/a-4'],
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
  expect(origins(slice({ addressType: 'IPv6', endpoints: [endpoint('a-1', 'fd00::1')] }))).toEqual(['http://[fd00::1]:8000']);
  expect(origins(slice({ addressType: 'FQDN' }))).toBeNull();
  expect(origins(slice({ endpoints: null }))).toEqual([]);
});
