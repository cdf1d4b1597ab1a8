import type { DeploymentPod } from './pods.ts';
import type { ModelDeployment } from './variant.ts';

/** The pods behind a Service, as far as one slice names them. */
export interface ServicePods {
  readonly service: string;
  /** Pods that may be given requests: `namespace/name` and origin. */
  readonly pods: readonly { readonly pod: string; readonly origin: string }[];
}

/** The part of a discovery.k8s.io/v1 EndpointSlice that is looked at. */
export interface EndpointSliceObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
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
  const pods = (endpoints ?? []).flatMap(({ addresses, conditions, targetRef }) => {
    const usable = conditions?.ready !== false && conditions?.terminating !== true;
    if (!usable || targetRef?.kind !== 'Pod' || addresses[0] === undefined) return [];
    const host = addressType === 'IPv6' ? `[${addresses[0]}]` : addresses[0];
    return [
      { pod: `${targetRef.namespace ?? metadata.namespace}/${targetRef.name}`, origin: `http://${host}:${port}` },
    ];
  });
  return { service: metadata.labels?.['kubernetes.io/service-name'] ?? metadata.name, pods };
};

/**
 * Origins by `namespace/deployment`, by model and each of its aliases. A Deployment without a pod that is Ready is there
 * with none; a pod behind several Services counts once, by the first of them in order of name.
 */
export const modelEndpoints = (
  deployments: ReadonlyMap<string, ModelDeployment>,
  pods: ReadonlyMap<string, DeploymentPod>,
  slices: Iterable<ServicePods>,
): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> => {
  const origins = new Map<string, string>();
  const byService = [...slices].sort((a, b) => (a.service < b.service ? -1 : Number(a.service > b.service)));
  for (const { pods: named } of byService)
    for (const { pod, origin } of named) if (!origins.has(pod)) origins.set(pod, origin);
  const byDeployment = new Map<string, string[]>();
  for (const [pod, origin] of origins) {
    const known = pods.get(pod);
    if (known === undefined || known.deployment === '') continue;
    const key = `${known.namespace}/${known.deployment}`;
    byDeployment.set(key, [...(byDeployment.get(key) ?? []), origin]);
  }
  const models = new Map<string, Map<string, readonly string[]>>();
  for (const [key, { model, aliases }] of deployments)
    for (const name of [model, ...aliases]) {
      const variants = models.get(name) ?? new Map<string, readonly string[]>();
      models.set(name, variants.set(key, (byDeployment.get(key) ?? []).sort()));
    }
  return models;
};
