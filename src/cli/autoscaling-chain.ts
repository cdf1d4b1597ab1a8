import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { type Condition, objectKey } from '../cluster/kubernetes-object.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import type { Config } from '../config/serve-config.ts';
import { askOfAibrix, type ControllerEvidence, findingsOfAibrix } from './aibrix-controller.ts';
import { type Finding, ok, unknown, wrong } from './finding.ts';
import { zeroReplicas } from './hpa-at-zero.ts';
import { type HpaObject, hpaFindings, isMadeByOther } from './hpa-findings.ts';
import { itemsOf, type KubernetesAnswer, refusal, succeeded } from './kubernetes-answer.ts';
import type { ClusterLook } from './one-look.ts';

/** Answers of the Kubernetes API server. */
export interface KubernetesAnswers {
  readonly apiServices: readonly { readonly name: string; readonly answer: KubernetesAnswer }[];
  readonly autoscalers: KubernetesAnswer;
  readonly scaledObjects: KubernetesAnswer;
  readonly aibrix: ControllerEvidence;
  /** Which release the API server is, and what its metrics say of its feature gates; null = nobody asks for 0 replicas. */
  readonly version: KubernetesAnswer;
  readonly gates: KubernetesAnswer | null;
  /** The targets as an HPA reads them, by namespace. */
  readonly targets: readonly { readonly namespace: string; readonly answer: KubernetesAnswer }[];
}

const apiServiceNames = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];

/** Everything is asked at once. @param deployments that carry a model, by `namespace/name` */
export const kubernetesAnswers = async (
  kubernetes: KubernetesRequest,
  deployments: ReadonlyMap<string, ModelDeployment>,
): Promise<KubernetesAnswers> => {
  const get = (path: string): Promise<KubernetesAnswer> => kubernetes('GET', path);
  const namespaces = [...new Set([...deployments.values()].map(({ namespace }) => namespace))];
  const maySleep = [...deployments.values()].some(isToSleep);
  const [apiServices, autoscalers, scaledObjects, aibrix, version, gates, targets] = await Promise.all([
    Promise.all(
      apiServiceNames.map(async (name) => ({ name, answer: await get(`/apis/apiregistration.k8s.io/v1/apiservices/${name}`) })),
    ),
    get('/apis/autoscaling/v2/horizontalpodautoscalers'),
    get('/apis/keda.sh/v1alpha1/scaledobjects'),
    askOfAibrix(kubernetes, (key) => deployments.has(key)),
    get('/version'),
    maySleep ? get('/metrics') : null,
    Promise.all(namespaces.map(async (namespace) => ({ namespace, answer: await get(targetsPath(namespace)) }))),
  ]);
  return { apiServices, autoscalers, scaledObjects, aibrix, version, gates, targets };
};
const targetsPath = (namespace: string): string =>
  `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`;

/** What is known of the fleet beside what the API server answers. */
export interface FleetFacts {
  readonly cluster: Pick<ClusterLook['cluster'], 'deployments' | 'paces'>;
  /** By Deployment; absent = none is known. */
  readonly targets?: ReadonlyMap<string, number>;
}

/** What lies between gpumix and spec.replicas: the APIServices, the metric as an HPA reads it, the autoscalers. */
export const findingsOfKubernetes = (
  answers: KubernetesAnswers,
  fleet: FleetFacts,
  config: Pick<Config, 'serviceName' | 'serviceNamespace' | 'externalMetrics'>,
): readonly Finding[] => {
  const { apiServices, autoscalers, aibrix, targets } = answers;
  const { deployments, paces } = fleet.cluster;
  const followed = paces();
  const keys = [...deployments.keys()].sort();
  return [
    ...apiServices.flatMap(({ name, answer }) => apiServiceFindings(name, answer, config)),
    ...targets.map(({ namespace, answer }) => targetsFinding(namespace, answer, keys)),
    ...keys
      .filter((key) => !followed.has(key))
      .map((key) => wrong('no-autoscaler', `Deployment ${key}`, 'has no HPA, PodAutoscaler or ScaledObject that scales it')),
    ...(succeeded(autoscalers)
      ? hpasOf(answers, deployments).flatMap((hpa) =>
          hpaFindings(hpa, { ...hpaFacts(hpa, fleet, config), zero: zeroReplicas(answers) }),
        )
      : [unknown('not-read', 'HPAs', `cannot be read: ${refusal(autoscalers)}`)]),
    ...twoAutoscalers(answers, deployments),
    ...findingsOfAibrix(aibrix),
  ];
};

/** HPAs that scale a Deployment of ours. */
const hpasOf = ({ autoscalers }: KubernetesAnswers, deployments: ReadonlyMap<string, ModelDeployment>): readonly HpaObject[] =>
  (succeeded(autoscalers) ? itemsOf<HpaObject>(autoscalers) : []).filter(
    ({ spec, metadata }) => spec.scaleTargetRef.kind === 'Deployment' && deployments.has(scaledBy(metadata.namespace, spec)),
  );
const scaledBy = (namespace: string, spec: { readonly scaleTargetRef: { readonly name?: string } }): string =>
  `${namespace}/${spec.scaleTargetRef.name}`;

/** Whether its label says that it may be at 0. */
const isToSleep = (deployment: ModelDeployment | undefined): boolean =>
  deployment?.labels['model.aibrix.ai/min_replicas'] === '0';

/** What an HPA of ours is judged by. */
export const hpaFacts = (
  { metadata, spec }: HpaObject,
  { cluster, targets }: FleetFacts,
  { externalMetrics }: Pick<Config, 'externalMetrics'>,
) => {
  const key = scaledBy(metadata.namespace, spec);
  return {
    externalMetrics,
    target: targets?.get(key) ?? null,
    mayBeAtZero: isToSleep(cluster.deployments.get(key)),
  };
};

interface ScaledObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: { readonly scaleTargetRef: { readonly kind?: string; readonly name?: string } };
}

const twoAutoscalers = (answers: KubernetesAnswers, deployments: ReadonlyMap<string, ModelDeployment>): readonly Finding[] => {
  const { scaledObjects, aibrix } = answers;
  const named = (kind: string, objects: readonly ScaledObject[]) =>
    objects
      .filter(({ spec }) => (spec.scaleTargetRef.kind ?? 'Deployment') === 'Deployment')
      .map(({ metadata, spec }) => ({ key: scaledBy(metadata.namespace, spec), name: `${kind} ${metadata.name}` }));
  const all = [
    ...named(
      'HPA',
      hpasOf(answers, deployments).filter((hpa) => !isMadeByOther(hpa)),
    ),
    ...named('PodAutoscaler', 'status' in aibrix.podAutoscalers ? [] : aibrix.podAutoscalers),
    ...named('ScaledObject', succeeded(scaledObjects) ? itemsOf<ScaledObject>(scaledObjects) : []),
  ];
  return [...Map.groupBy(all, ({ key }) => key)]
    .filter(([key, some]) => some.length > 1 && deployments.has(key))
    .map(([key, some]) => {
      const names = some.map(({ name }) => name);
      const [namespace] = key.split('/');
      const [kind = '', last = ''] = names.at(-1)!.split(' ');
      const mend = `keep one: kubectl delete ${kind.toLowerCase()} ${last} -n ${namespace}`;
      return wrong('two-autoscalers', `Deployment ${key}`, `has several autoscalers: ${names.join(', ')}`, mend);
    });
};

/** APIServices that lead to us: the namespace of their Service, and the authorities that the API server believes there (PEM). */
export const ourApiServices = (
  apiServices: KubernetesAnswers['apiServices'],
  config: Pick<Config, 'serviceName' | 'serviceNamespace'>,
) =>
  apiServices.flatMap(({ name, answer }) => {
    if (!succeeded(answer)) return [];
    const { service, caBundle = '' } = (answer.body as ApiService).spec ?? {};
    if (service === undefined || !isOurs(service, config)) return [];
    return [{ apiService: name, namespace: service.namespace, bundle: Buffer.from(caBundle, 'base64').toString() }];
  });

const isOurs = (
  service: { readonly namespace: string; readonly name: string } | undefined,
  { serviceName, serviceNamespace }: Pick<Config, 'serviceName' | 'serviceNamespace'>,
): boolean => service?.name === serviceName && (serviceNamespace === null || service.namespace === serviceNamespace);

interface ApiService {
  readonly spec?: {
    readonly caBundle?: string;
    readonly service?: { readonly namespace: string; readonly name: string };
    readonly insecureSkipTLSVerify?: boolean;
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const apiServiceFindings = (
  name: string,
  answer: KubernetesAnswer,
  config: Pick<Config, 'serviceName' | 'serviceNamespace'>,
): readonly Finding[] => {
  const { serviceName, serviceNamespace } = config;
  const it = `APIService ${name}`;
  if (answer.status === 404) return [wrong('apiservice-missing', it, 'is not there')];
  if (!succeeded(answer)) return [unknown('not-read', it, `cannot be read: ${refusal(answer)}`)];
  const { spec, status } = answer.body as ApiService;
  const { service, insecureSkipTLSVerify } = spec ?? {};
  if (!isOurs(service, config)) {
    const whose = service === undefined ? 'the API server itself' : objectKey(service);
    const ours = serviceNamespace === null ? `a Service ${serviceName}` : `${serviceNamespace}/${serviceName}`;
    return [wrong('apiservice-foreign', it, `belongs to ${whose}, not to ${ours} (--service-name, --service-namespace)`)];
  }
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  return [
    ...(insecureSkipTLSVerify === true ? [wrong('apiservice-insecure', it, 'has insecureSkipTLSVerify: true')] : []),
    available?.status === 'True'
      ? ok(it, 'is Available')
      : wrong('apiservice-unavailable', it, `is not Available: ${available?.message ?? 'nothing is said of it'}`),
  ];
};

const targetsFinding = (namespace: string, answer: KubernetesAnswer, keys: readonly string[]): Finding => {
  const it = `targets in ${namespace}`;
  const asked = `kubectl get --raw '${targetsPath(namespace)}'`;
  if (answer.status === 401 || answer.status === 403)
    return unknown('not-read', it, 'were not looked at: this account may not read them, and need not', asked);
  if (answer.status === 0) return unknown('not-read', it, `cannot be read: ${refusal(answer)}`, asked);
  if (!succeeded(answer)) return wrong('targets-missing', it, `as an HPA reads them: ${refusal(answer)}`, asked);
  const items = itemsOf(answer).length;
  const all = keys.filter((key) => key.startsWith(`${namespace}/`)).length;
  const seen = `as an HPA reads them: ${items} of ${all}`;
  return items === all ? ok(it, seen) : wrong('targets-missing', it, seen);
};
