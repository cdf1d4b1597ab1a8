import { createHash } from 'node:crypto';
import { customMetricsGroup, customMetricsVersions } from './custom-metrics.ts';
import { metrics } from './metrics.ts';
import { noSuchResource } from './status.ts';

/**
 * What we serve, in the classic form and in the aggregated one. The aggregator asks for these to call us available and
 * to let namespaces be deleted, so they depend on nothing that can fail, and are never empty.
 */

const versionOf = (version: string) => ({ groupVersion: `${customMetricsGroup}/${version}`, version });
const versions = customMetricsVersions.map(versionOf);
const group = { name: customMetricsGroup, versions, preferredVersion: versions[0] };

/** `GET /apis`; this list alone goes without apiVersion, as clients of old expect. */
export const groupList = (serverAddress: string) => ({
  kind: 'APIGroupList',
  groups: [{ ...group, serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }] }],
});

/** `GET /apis/GROUP`. */
export const apiGroup = (name: string) => {
  if (name !== customMetricsGroup) throw noSuchResource();
  return { kind: 'APIGroup', apiVersion: 'v1', ...group };
};

/** `GET /apis/GROUP/VERSION`. */
export const resourceList = (groupName: string, version: string) => {
  if (!serves(groupName, version)) throw noSuchResource();
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${groupName}/${version}`,
    resources: metrics.map(({ resource, name }) => ({
      name: `${resource}/${name}`,
      singularName: '',
      namespaced: true,
      kind: 'MetricValueList',
      verbs: ['get'],
    })),
  };
};

export const serves = (groupName: string, version: string): boolean =>
  groupName === customMetricsGroup && customMetricsVersions.some((served) => served === version);

/** The media type parameters that ask for the aggregated form, and name it in the answer. */
export const aggregatedParameters = 'g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `GET /apis` in the aggregated form, and its ETag: the hash of the list without kind and apiVersion. */
export const aggregatedDiscovery = () => {
  const list = { metadata: {}, items: [{ metadata: { name: customMetricsGroup }, versions: aggregatedVersions() }] };
  const etag = `"${createHash('sha512').update(JSON.stringify(list)).digest('hex').toUpperCase()}"`;
  return { etag, body: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', ...list } };
};

const responseKind = (kind: string) => ({ group: '', version: '', kind });

/** A metric is a subresource of what it describes; the parent, which we do not serve, has an empty kind and no verbs. */
const aggregatedVersions = () => {
  const resources = metrics.map(({ resource, name }) => ({
    resource,
    responseKind: responseKind(''),
    scope: 'Namespaced',
    singularResource: '',
    verbs: null,
    subresources: [{ subresource: name, responseKind: responseKind('MetricValueList'), verbs: ['get'] }],
  }));
  return customMetricsVersions.map((version) => ({ version, resources, freshness: 'Current' }));
};
