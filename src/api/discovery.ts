import { createHash } from 'node:crypto';
import type { ApiGroup, ResourceEntry } from './api-group.ts';

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

/** What else is served in a group version, beside our own metrics. */
export type UpstreamEntries = (group: string, version: string) => readonly ResourceEntry[];

const entries = ({ name, kind, resources }: ApiGroup, version: string, more: UpstreamEntries): readonly ResourceEntry[] => {
  const own = resources.map((resource) => ({
    name: resource,
    singularName: '',
    namespaced: true,
    kind,
    verbs: ['get'],
  }));
  return [...own, ...more(name, version).filter((entry) => !resources.includes(entry.name))];
};

/** `GET /apis/GROUP/VERSION`. */
export const resourceList = (group: ApiGroup, version: string, more: UpstreamEntries) => ({
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${group.name}/${version}`,
  resources: entries(group, version, more),
});

/** The media type parameters that ask for the aggregated form, and name it in the answer. */
export const aggregatedParameters = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `GET /apis` in the aggregated form, and its ETag: the hash of the list without kind and apiVersion. */
export const aggregatedDiscovery = (groups: readonly ApiGroup[], more: UpstreamEntries) => {
  const list = {
    metadata: {},
    items: groups.map((group) => ({ metadata: { name: group.name }, versions: aggregatedVersions(group, more) })),
  };
  const etag = `"${createHash('sha512').update(JSON.stringify(list)).digest('hex').toUpperCase()}"`;
  return { etag, body: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', ...list } };
};

const aggregatedVersions = (group: ApiGroup, more: UpstreamEntries) =>
  group.versions.map((version) => ({
    version,
    resources: aggregatedResources(entries(group, version, more)),
    freshness: 'Current',
  }));

const responseKind = (kind: string) => ({ group: '', version: '', kind });

/** `resource/metric` is a subresource; its parent, which nobody serves, has an empty kind and no verbs. */
const aggregatedResources = (list: readonly ResourceEntry[]) => {
  const parents = Map.groupBy(list, ({ name }) => name.split('/')[0] ?? '');
  return [...parents].map(([resource, children]) => {
    const alone = children.find(({ name }) => name === resource);
    const subresources = children
      .filter((child) => child !== alone)
      .map(({ name, kind, verbs }) => ({
        subresource: name.slice(resource.length + 1),
        responseKind: responseKind(kind),
        verbs,
      }));
    return {
      resource,
      responseKind: responseKind(alone?.kind ?? ''),
      scope: children[0]?.namespaced ? 'Namespaced' : 'Cluster',
      singularResource: '',
      verbs: alone?.verbs ?? null,
      ...(subresources.length === 0 ? {} : { subresources }),
    };
  });
};
