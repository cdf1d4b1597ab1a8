import type { KubernetesObject } from './kubernetes-object.ts';

/** The pods behind a Service, as far as one slice names them. */
export interface ServicePods {
  readonly service: string;
  /** All pods that it names, Ready or not: `namespace/name`. */
  readonly named: readonly string[];
  /** Pods that may be given requests: `namespace/name` and origin. */
  readonly pods: readonly { readonly pod: string; readonly origin: string }[];
}

/** The part of a discovery.k8s.io/v1 EndpointSlice that is looked at. */
export interface EndpointSliceObject extends KubernetesObject {
  readonly addressType?: string;
  readonly endpoints?:
    | readonly {
        readonly addresses: readonly string[];
        readonly conditions?: { readonly ready?: boolean; readonly terminating?: boolean };
        readonly targetRef?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
      }[]
    | null;
  readonly ports?: readonly { readonly name?: string; readonly port?: number; readonly protocol?: string }[] | null;
}

/** Ports by these names before any other. */
const preferredPorts = ['serve', 'http', 'http-serve', 'api', 'openai'];

/** Pods that are Ready and not on their way out; null where the slice names no pod. */
export const servicePods = ({ metadata, addressType, endpoints, ports }: EndpointSliceObject): ServicePods | null => {
  const tcp = (ports ?? []).filter(({ protocol = 'TCP', port }) => protocol === 'TCP' && port !== undefined);
  const port = (tcp.find(({ name }) => preferredPorts.includes(name ?? '')) ?? tcp[0])?.port;
  if (port === undefined || addressType === 'FQDN') return null;
  const named = (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
    if (targetRef?.kind !== 'Pod' || addresses[0] === undefined) return [];
    const host = addressType === 'IPv6' ? `[${addresses[0]}]` : addresses[0];
    return {
      pod: `${targetRef.namespace ?? metadata.namespace}/${targetRef.name}`,
      origin: `http://${host}:${port}`,
      usable: conditions?.ready !== false && conditions?.terminating !== true,
    };
  });
  return {
    service: metadata.labels?.['kubernetes.io/service-name'] ?? metadata.name,
    named: named.map(({ pod }) => pod),
    pods: named.flatMap(({ pod, origin, usable }) => (usable ? [{ pod, origin }] : [])),
  };
};
