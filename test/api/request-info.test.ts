import { describe, expect, test } from 'vitest';
import { isTrue, pathAndQuery, requestInfo } from '../../src/api/request-info.ts';

const group = '/apis/custom.metrics.k8s.io/v1beta2';
/** `verb namespace/resource/name/subresource` */
const asked = (method: string, target: string): string => {
  const { verb, resource } = requestInfo(method, target);
  if (resource === null) return verb;
  return `${verb} ${[resource.namespace, resource.resource, resource.name, resource.subresource].join('/')}`;
};

test('a metric of an object is a subresource of it', () => {
  expect(requestInfo('GET', `${group}/namespaces/ns/deployments.apps/web/target?timeout=5s`)).toEqual({
    path: `${group}/namespaces/ns/deployments.apps/web/target`,
    query: new URLSearchParams('timeout=5s'),
    verb: 'get',
    resource: {
      group: 'custom.metrics.k8s.io',
      version: 'v1beta2',
      namespace: 'ns',
      resource: 'deployments.apps',
      name: 'web',
      subresource: 'target',
      segments: ['namespaces', 'ns', 'deployments.apps', 'web', 'target'],
    },
  });
});

test.each([
  ['GET', 'namespaces/ns/pods/a', 'get ns/pods/a/'],
  ['HEAD', 'namespaces/ns/pods/a', 'get ns/pods/a/'],
  ['PUT', 'namespaces/ns/pods/a/status', 'update ns/pods/a/status'],
  ['PATCH', 'namespaces/ns/pods/a', 'patch ns/pods/a/'],
  ['POST', 'namespaces/ns/pods', 'create ns/pods//'],
  ['DELETE', 'namespaces/ns/pods/a', 'delete ns/pods/a/'],
  ['DELETE', 'namespaces/ns/pods', 'deletecollection ns/pods//'],
  ['OPTIONS', 'namespaces/ns/pods/a', ' ns/pods/a/'],
  ['GET', 'namespaces/ns/pods', 'list ns/pods//'],
  ['GET', 'namespaces/ns/pods?watch=1', 'watch ns/pods//'],
  ['GET', 'namespaces/ns/pods?watch=false', 'list ns/pods//'],
  ['GET', 'namespaces/ns/pods/a?watch=1', 'get ns/pods/a/'],
  ['GET', 'nodes/n', 'get /nodes/n/'],
  ['GET', 'namespaces', 'list /namespaces//'],
  ['GET', 'namespaces/ns', 'get ns/namespaces/ns/'],
  ['PUT', 'namespaces/ns/finalize', 'update ns/namespaces/ns/finalize'],
  ['GET', 'watch/namespaces/ns/pods', 'watch ns/pods//'],
  ['POST', 'proxy/namespaces/ns/pods/a', 'proxy ns/pods/a/'],
  ['GET', 'watch', 'list /watch//'],
])('%s %s is %s', (method, below, expected) => {
  expect(asked(method, `${group}/${below}`)).toBe(expected);
  expect(asked(method, `/${group}/${below.replace(/(\?|$)/, '/$1')}`)).toBe(expected);
});

test('a list of the one object that a field selector names is of that name', () => {
  const pods = (selector: string) => asked('GET', `${group}/namespaces/ns/pods?fieldSelector=${encodeURIComponent(selector)}`);
  expect(pods('metadata.name=a')).toBe('list ns/pods/a/');
  expect(pods('metadata.namespace=ns,metadata.name==a')).toBe('list ns/pods/a/');
  for (const other of ['metadata.name!=a', 'metadata.name=', 'metadata.name=a/b', 'xmetadata.name=a']) {
    expect(pods(other)).toBe('list ns/pods//');
  }
});

test.each(['/', '/readyz', '/apis', group, `${group}/`, '/api/v1/namespaces/ns/pods'])('%s asks for no resource', (target) => {
  expect(requestInfo('GET', target)).toMatchObject({ verb: 'get', resource: null });
  expect(requestInfo('POST', target).verb).toBe('post');
});

describe('the target of a request', () => {
  test('is decoded, and its query begins at the first question mark', () => {
    expect(pathAndQuery('/a%20b/%C3%A4?x=1?2&y=%26')).toEqual({
      path: '/a b/ä',
      query: new URLSearchParams({ x: '1?2', y: '&' }),
    });
    expect(pathAndQuery('/a+b')).toEqual({ path: '/a+b', query: new URLSearchParams() });
    expect(asked('GET', `${group}/namespaces/ns/pods/a%2Fb`)).toBe('get ns/pods/a/b');
  });

  test('that cannot be decoded is a bad request', () => {
    for (const path of ['/%zz', '/%', '/%ff'])
      expect(() => requestInfo('GET', path)).toThrow(expect.objectContaining({ code: 400, message: `invalid path "${path}"` }));
  });
});

test('all is true that is not absent, 0 or false', () => {
  expect(['1', 'true', '', 'no', '00'].map(isTrue)).toEqual(Array(5).fill(true));
  expect([null, '0', 'false', 'False'].map(isTrue)).toEqual(Array(4).fill(false));
});
