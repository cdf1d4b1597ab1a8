import { type EndpointSliceObject, type ServicePods, servicePods } from '../cluster/endpoint-slices.ts';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { placesOf, strandedText } from '../cluster/model-endpoints.ts';
import type { DeploymentPod } from '../cluster/pods.ts';
import { type Finding, unknown, wrong } from './finding.ts';
import { itemsOf, type KubernetesAnswer, refusal, succeeded } from './kubernetes-answer.ts';

/** Deployments that carry a model, and pods, as they are watched. */
export interface Engines {
  readonly deployments: ReadonlyMap<string, unknown>;
  readonly pods: ReadonlyMap<string, DeploymentPod>;
}

/** The EndpointSlices, where a gateway of ours needs them; null = there is none, or every pod has its port by label. */
export const askForReach = async (kubernetes: KubernetesRequest, engines: Engines): Promise<KubernetesAnswer | null> => {
  if (stranded(engines, []).length === 0) return null;
  const gateways = await kubernetes('GET', '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dgpumix-gateway');
  if (!succeeded(gateways) || itemsOf<GatewayObject>(gateways).every(hasOwnEndpoints)) return null;
  return await kubernetes('GET', '/apis/discovery.k8s.io/v1/endpointslices');
};

interface GatewayObject {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly args?: readonly string[];
          readonly env?: readonly { readonly name: string }[];
        }[];
      };
    };
  };
}

/** One that is told in a file where engines are looks at no Service. */
const hasOwnEndpoints = ({ spec }: GatewayObject): boolean =>
  spec.template.spec.containers.some(
    ({ args = [], env = [] }) =>
      args.some((arg) => /^--endpoints(?:=|$)/.test(arg)) || env.some(({ name }) => name === 'GPUMIX_ENDPOINTS'),
  );

/** Deployments with Ready pods to which `gpumix gateway` can send no request. */
export const reachFindings = (
  answer: KubernetesAnswer | null,
  engines: Engines,
  enginePort: number | null,
): readonly Finding[] => {
  if (answer === null) return [];
  if (!succeeded(answer))
    return [
      unknown(
        'not-read',
        'EndpointSlices',
        `cannot be read, so that nobody knows whether requests reach pods: ${refusal(answer)}`,
      ),
    ];
  const slices = itemsOf<EndpointSliceObject>(answer).flatMap((slice) => servicePods(slice) ?? []);
  return stranded(engines, slices).map(([key, pods]) => {
    const [namespace, name] = key.split('/');
    const mend = `kubectl expose deployment ${name} -n ${namespace} --port=${enginePort ?? 8000}, which must be the port of its engine`;
    return wrong('pods-unreachable', `Deployment ${key}`, strandedText(pods), mend);
  });
};

const stranded = ({ deployments, pods }: Engines, slices: readonly ServicePods[]): readonly (readonly [string, number])[] =>
  [...placesOf(deployments.keys(), pods, slices)].flatMap(([key, places]) =>
    places.stranded > 0 ? [[key, places.stranded]] : [],
  );
