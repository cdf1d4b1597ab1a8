import { createHash } from 'node:crypto';
import type { ApiGroup } from './group.ts';

/**
 * What we serve, in the classic form and in the aggregated one. The aggregator asks for these to call us available and
 * to let namespaces be deleted, so they depend on nothing that can fail, and are never empty.
 */

const groupVersions = ({ name, versions }: ApiGroup) => {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
};

/** `GET /apis`; this list alone goes without apiVersion, as clients of old expect. */
export const groupList = (groups: readonly ApiGroup[], serverAddress: string) => ({
  kind: 'APIGroupList',
  groups: groups.map((group) => ({
    ...groupVersions(group),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  })),
});

/** `GET /apis/GROUP`. */
export const apiGroup = (group: ApiGroup) => ({ kind: 'APIGroup', apiVersion: 'v1', ...groupVersions(group) });

/** `GET /apis/GROUP/VERSION`. */
export const resourceList = ({ name, kind, resources }: ApiGroup, version: string) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${name}/${version}`,
  resources: resources.map((resource) => ({
    name: resource,
    singularName: '',
    namespaced: true,
    kind,
    verbs: ['get'],
  })),
});

/** The media type parameters that ask for the aggregated form, and name it in the answer. */
export const aggregatedParameters = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `GET /apis` in the aggregated form, and its ETag: the hash of the list without kind and apiVersion. */
export const aggregatedDiscovery = (groups: readonly ApiGroup[]) => {
  const list = {
    metadata: {},
    items: groups.map((group) => ({ metadata: { name: group.name }, versions: aggregatedVersions(group) })),
  };
  const etag = `"${createHash('sha512').update(JSON.stringify(list)).digest('hex').toUpperCase()}"`;
  return { etag, body: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', ...list } };
};

const aggregatedVersions = ({ versions, resources, kind }: ApiGroup) =>
  versions.map((version) => ({
    version,
    resources: resources.map((resource) => aggregatedResource(resource, kind)),
    freshness: 'Current',
  }));

const responseKind = (kind: string) => ({ group: '', version: '', kind });

/** `resource/metric` is a subresource; its parent, which we do not serve, has an empty kind and no verbs. */
const aggregatedResource = (name: string, kind: string) => {
  const [resource = '', subresource] = name.split('/');
  const common = { resource, responseKind: responseKind(''), scope: 'Namespaced', singularResource: '' };
  if (subresource === undefined) return { ...common, responseKind: responseKind(kind), verbs: ['get'] };
  return { ...common, verbs: null, subresources: [{ subresource, responseKind: responseKind(kind), verbs: ['get'] }] };
};
