import { type Condition, objectKey } from '../cluster/kubernetes-object.ts';
import type { ModelDeployment } from '../cluster/variant.ts';
import { type Config, settings } from '../config/serve-config.ts';
import { settingOptions } from '../config/settings.ts';
import { deploymentKey } from '../vocabulary/deployment-key.ts';
import { GpumixError, messageOf } from '../vocabulary/errors.ts';
import { askOfAibrix, type ControllerEvidence, findingsOfAibrix } from './aibrix-controller.ts';
import type { Command } from './command.ts';
import { beyondGridText } from './explain.ts';
import { type Finding, note, ok, unknown, wrong } from './finding.ts';
import { itemsOf, type KubernetesAnswer, refusal, succeeded } from './kubernetes-answer.ts';
import { type ClusterLook, configBesideServe, isAlive, lookOnce } from './one-look.ts';

export const doctorCommand: Command = {
  options: settingOptions(settings),
  examples: ['gpumix doctor', 'gpumix doctor --kubeconfig ~/.kube/config --redis-url redis://localhost:6379'],
  run: async (argv, io) => {
    const findings = await examined(configBesideServe(argv));
    io.stdout(findings.map(({ verdict, text }) => `${labels[verdict]}  ${text}\n`).join(''));
    return findings.some(({ verdict }) => verdict === 'wrong') ? 1 : 0;
  },
};
const labels = { ok: 'ok   ', wrong: 'WRONG', unknown: '?    ', note: 'note ' };

const examined = async (config: Config): Promise<readonly Finding[]> => {
  try {
    return await lookOnce(config, async (look) => {
      const asked = await askedOfKubernetes(look);
      const deployments = [...look.cluster.deployments.values()];
      return [...findingsOfLook({ ...look, deployments }, config), ...findingsOfKubernetes(asked, look, config)];
    });
  } catch (error) {
    if (!(error instanceof GpumixError) || !['KUBERNETES_UNAVAILABLE', 'FORBIDDEN'].includes(error.code)) throw error;
    return [wrong(`Kubernetes cannot be read: ${messageOf(error)}`)];
  }
};

/** What gpumix itself sees: Deployments, profiles, the state of each model, a leader that plans, and what it warns of. */
export const findingsOfLook = (
  look: ClusterFacts,
  config: Pick<Config, 'planPrefix' | 'intervalSeconds'>,
): readonly Finding[] => {
  const { deployments, profiles, decided, stored, problems, notes } = look;
  if (deployments.length === 0) return [wrong('no Deployment has the label model.aibrix.ai/name: nothing is planned for')];
  const without = deployments.filter((one) => !profiles.found.has(deploymentKey(one)));
  const lives = stored !== null && isAlive(stored.ageSeconds, config);
  const models = lives ? stored.plan.models : decided.models;
  return [
    ok(`Kubernetes is read: Deployments that carry a model: ${deployments.length}`),
    ...(without.length === 0 ? [ok('each of them has a profile')] : []),
    ...without.map((one) => wrong(`${deploymentKey(one)} has no profile of ${one.model}: gpumix benchmark, then gpumix profile`)),
    leaderFinding(stored?.ageSeconds ?? null, lives, config.planPrefix),
    ...models.map(({ name, state, reason }) =>
      (state === 'stale' || state === 'missing' ? wrong : ok)(`model ${name} is ${state}: ${reason}`),
    ),
    ...problems.map(wrong),
    ...notes.map(note),
    ...models.flatMap(({ variants }) =>
      variants.flatMap(({ deployment, beyondGrid }) =>
        beyondGrid ? [note(`${deployment}: ${beyondGridText(beyondGrid)}`)] : [],
      ),
    ),
  ];
};
export interface ClusterFacts extends Pick<ClusterLook, 'profiles' | 'decided' | 'stored' | 'problems' | 'notes'> {
  readonly deployments: readonly ModelDeployment[];
}

const leaderFinding = (age: number | null, lives: boolean, prefix: string): Finding => {
  if (age === null)
    return wrong(
      `no serve has stored a plan in this Redis under ${prefix}plans: does one run, with this --redis-url and --plan-prefix?`,
    );
  const text = `serve planned ${Math.round(age)} s ago`;
  return lives ? ok(text) : wrong(`${text}, and no more since: kubectl logs -n gpumix-system -l app.kubernetes.io/name=gpumix`);
};

/** Answers of the Kubernetes API server. */
export interface KubernetesAnswers {
  readonly apiServices: readonly { readonly name: string; readonly answer: KubernetesAnswer }[];
  readonly autoscalers: KubernetesAnswer;
  readonly aibrix: ControllerEvidence;
  /** The targets as an HPA reads them, by namespace. */
  readonly targets: readonly { readonly namespace: string; readonly answer: KubernetesAnswer }[];
}

const askedOfKubernetes = async ({ cluster, kubernetes }: ClusterLook): Promise<KubernetesAnswers> => {
  const get = (path: string): Promise<KubernetesAnswer> => kubernetes('GET', path);
  const namespaces = new Set([...cluster.deployments.values()].map(({ namespace }) => namespace));
  const apiServices = ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'];
  return {
    apiServices: await Promise.all(
      apiServices.map(async (name) => ({
        name,
        answer: await get(`/apis/apiregistration.k8s.io/v1/apiservices/${name}`),
      })),
    ),
    autoscalers: await get('/apis/autoscaling/v2/horizontalpodautoscalers'),
    aibrix: await askOfAibrix(kubernetes, (key) => cluster.deployments.has(key)),
    targets: await Promise.all(
      [...namespaces].map(async (namespace) => ({ namespace, answer: await get(targetsPath(namespace)) })),
    ),
  };
};
const targetsPath = (namespace: string): string =>
  `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}/deployments.apps/*/gpumix_target_replicas`;

/** What lies between gpumix and spec.replicas: the APIServices, the metric as an HPA reads it, the autoscalers. */
export const findingsOfKubernetes = (
  { apiServices, autoscalers, aibrix, targets }: KubernetesAnswers,
  { cluster }: { readonly cluster: Pick<ClusterLook['cluster'], 'deployments' | 'paces'> },
  { serviceName }: Pick<Config, 'serviceName'>,
): readonly Finding[] => {
  const paces = cluster.paces();
  const keys = [...cluster.deployments.keys()].sort();
  return [
    ...apiServices.map(({ name, answer }) => apiServiceFinding(name, answer, serviceName)),
    ...targets.map(({ namespace, answer }) => targetsFinding(namespace, answer, keys)),
    ...keys.filter((key) => !paces.has(key)).map((key) => wrong(`${key}: no HPA, PodAutoscaler or ScaledObject scales it`)),
    ...(succeeded(autoscalers)
      ? itemsOf<Autoscaler>(autoscalers).flatMap((one) => autoscalerFindings(one, cluster.deployments))
      : []),
    ...findingsOfAibrix(aibrix),
  ];
};

interface ApiService {
  readonly spec?: { readonly service?: { readonly namespace: string; readonly name: string } };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const apiServiceFinding = (name: string, answer: KubernetesAnswer, serviceName: string): Finding => {
  if (answer.status === 404) return wrong(`there is no APIService ${name}: kubectl apply --server-side -k apiservice`);
  if (!succeeded(answer)) return unknown(`APIService ${name}: ${refusal(answer)}`);
  const { spec, status } = answer.body as ApiService;
  const { service } = spec ?? {};
  if (service?.name !== serviceName)
    return wrong(
      `APIService ${name} belongs to ${service === undefined ? 'the API server itself' : objectKey(service)}, not to a Service ${serviceName} (--service-name)`,
    );
  const available = status?.conditions?.find(({ type }) => type === 'Available');
  return available?.status === 'True'
    ? ok(`APIService ${name} is Available`)
    : wrong(`APIService ${name} is not Available: ${available?.message ?? 'nothing is said of it'}`);
};

const targetsFinding = (namespace: string, answer: KubernetesAnswer, keys: readonly string[]): Finding => {
  const asked = `kubectl get --raw '${targetsPath(namespace)}'`;
  if (answer.status === 401 || answer.status === 403) return unknown(`targets in ${namespace}: not ours to read; ${asked}`);
  if (!succeeded(answer)) return wrong(`targets in ${namespace} as an HPA reads them: ${refusal(answer)}`);
  const items = itemsOf(answer).length;
  const all = keys.filter((key) => key.startsWith(`${namespace}/`)).length;
  const text = `targets in ${namespace} as an HPA reads them: ${items} of ${all}`;
  return items === all ? ok(text) : wrong(`${text}; gpumix explain NAMESPACE/DEPLOYMENT says why one has none`);
};

interface Autoscaler {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly ownerReferences?: readonly unknown[];
  };
  readonly spec: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string };
    readonly metrics?: readonly Readonly<Record<string, { readonly metric?: { readonly name?: string } } | string>>[];
  };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

const autoscalerFindings = (
  { metadata, spec, status }: Autoscaler,
  deployments: ReadonlyMap<string, ModelDeployment>,
): readonly Finding[] => {
  const { kind, name } = spec.scaleTargetRef;
  if (kind !== 'Deployment' || !deployments.has(`${metadata.namespace}/${name}`)) return [];
  const it = `HPA ${objectKey(metadata)}`;
  const reads = (spec.metrics ?? []).some((metric) =>
    Object.values(metric).some((source) => typeof source === 'object' && /^gpumix_target_/.test(source.metric?.name ?? '')),
  );
  // One that belongs to a PodAutoscaler or ScaledObject reads what that made for it.
  const owned = (metadata.ownerReferences ?? []).length > 0;
  const conditions = status?.conditions ?? [];
  const bad = conditions.filter((one) => one.status === 'False' && ['AbleToScale', 'ScalingActive'].includes(one.type));
  const limited = conditions.find(({ type, status: is }) => type === 'ScalingLimited' && is === 'True');
  return [
    ...(reads || owned ? [] : [wrong(`${it} reads no metric gpumix_target_replicas: manifests/samples/hpa has one that does`)]),
    ...bad.map(({ reason, message }) => wrong(`${it}: ${reason}: ${message}`)),
    ...(limited === undefined ? [] : [unknown(`${it} is at its limit: ${limited.message}`)]),
    ...(bad.length === 0 && (reads || owned) ? [ok(`${it} scales ${name}`)] : []),
  ];
};
