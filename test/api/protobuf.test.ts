import { expect, test } from 'vitest';
import { protobuf } from '../../src/api/protobuf.ts';

const text = (value: string) => Buffer.from(value).toString('hex');
const length = (hex: string) => (hex.replaceAll(' ', '').length / 2).toString(16).padStart(2, '0');
/** The envelope around the bytes of an object that has fewer than 128. */
const enveloped = (apiVersion: string, kind: string, raw: string): string => {
  const type = `0a${length(text(apiVersion))}${text(apiVersion)} 12${length(text(kind))}${text(kind)}`;
  return `6b387300 0a${length(type)}${type} 12${length(raw)}${raw} 1a00 2200`.replaceAll(' ', '');
};
const hex = (object: object) => protobuf(object).toString('hex');

test('an object without a field is its envelope, and within it the fields that are always written', () => {
  expect(hex({ kind: 'APIGroupList', groups: [] })).toBe(enveloped('v1', 'APIGroupList', ''));
  expect(hex({ kind: 'Status', apiVersion: 'v1' })).toBe(enveloped('v1', 'Status', '0a06 0a00 1200 1a00 1200 1a00 2200 3000'));
});

test('a Status: its texts, its details if it has some, and its code', () => {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: 'no', reason: 'Gone' };
  const start = `0a060a0012001a00 1207${text('Failure')} 1a02${text('no')} 2204${text('Gone')}`;
  expect(hex({ ...status, code: 404 })).toBe(enveloped('v1', 'Status', `${start} 309403`));
  const cause = `0a00 1201${text('m')} 1a01${text('f')}`;
  const details = `0a00 1200 1a01${text('k')} 22${length(cause)}${cause} 2800 3200`;
  expect(hex({ ...status, details: { kind: 'k', causes: [{ message: 'm', field: 'f' }] }, code: 422 })).toBe(
    enveloped('v1', 'Status', `${start} 2a${length(details)}${details} 30a603`),
  );
});

test('an external metric: labels by name, its time in seconds, no window where there is none', () => {
  const value = { metricName: 'm', metricLabels: { b: '2', a: '1' }, timestamp: '1970-01-01T00:01:40Z', value: '3k' };
  const label = (key: string, of: string) => `1206 0a01${text(key)} 1201${text(of)}`;
  const item = `0a01${text('m')} ${label('a', '1')} ${label('b', '2')} 1a04 0864 1000 2a04 0a02${text('3k')}`;
  const list = { kind: 'ExternalMetricValueList', apiVersion: 'external.metrics.k8s.io/v1beta1', metadata: {} };
  expect(hex({ ...list, items: [value] })).toBe(
    enveloped(list.apiVersion, list.kind, `0a060a0012001a00 12${length(item)}${item}`),
  );
  expect(hex({ ...list, items: [] })).toBe(enveloped(list.apiVersion, list.kind, '0a060a0012001a00'));
});

test('the two versions of a custom metric call it by a name, and by an identifier', () => {
  const group = 'custom.metrics.k8s.io';
  const object = { kind: 'd', namespace: 'n', name: 'w', apiVersion: 'v' };
  const reference = '0a0164 12016e 1a0177 2200 2a0176 3200 3a00';
  const bytes = (version: string, more: object, item: string): void => {
    const given = { describedObject: object, value: '4', ...more };
    const list = { kind: 'MetricValueList', apiVersion: `${group}/${version}`, metadata: {}, items: [given] };
    const written = `0a${length(reference)}${reference} ${item} 2a03 0a0134`;
    expect(hex(list)).toBe(enveloped(list.apiVersion, list.kind, `0a060a0012001a00 12${length(written)}${written}`));
  };
  bytes('v1beta1', { metricName: 'm', window: 60 }, '12016d 203c');
  bytes('v1beta2', { metric: { name: 'm', selector: null }, windowSeconds: 60 }, '1203 0a016d 203c');
});

test('a resource: its verbs are a message of their own, and true is 1', () => {
  const resource = { name: 'r', namespaced: true, kind: 'K', verbs: ['get', 'list'] };
  const item = `0a0172 1001 1a014b 220b 0a03${text('get')} 0a04${text('list')} 3200 4200 4a00 5200`;
  expect(hex({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'g', resources: [resource] })).toBe(
    enveloped('v1', 'APIResourceList', `0a0167 12${length(item)}${item}`),
  );
});

test('what has no message is refused', () => {
  expect(() => protobuf({ kind: 'Pod', apiVersion: 'v1' })).toThrow('no protobuf message for v1/Pod');
  expect(() => protobuf({ kind: 'APIGroup', apiVersion: 'apps/v1' })).toThrow('no protobuf message for apps/v1/APIGroup');
  expect(() => protobuf({})).toThrow('no protobuf message for v1/undefined');
});
