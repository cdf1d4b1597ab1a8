import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { objectKey } from '../cluster/kubernetes-object.ts';
import { type Finding, ok, unknown, wrong } from './finding.ts';
import { itemsOf, type KubernetesAnswer, refusal, succeeded } from './kubernetes-answer.ts';
import {
  type ControllerRelease,
  needsCustomMetrics,
  type PodAutoscalerObject,
  podAutoscalerFindings,
  possibleEras,
  versionOfImage,
} from './pod-autoscaler-traps.ts';

/** What the API server says of AIBrix's PodAutoscalers and of who follows them. */
export interface ControllerEvidence {
  /** PodAutoscalers that scale a Deployment of ours; an answer where they cannot be read. */
  readonly podAutoscalers: readonly PodAutoscalerObject[] | KubernetesAnswer;
  /** Deployments of the controller manager, by name and by label; only asked for where there is a PodAutoscaler. */
  readonly controllers: readonly KubernetesAnswer[];
  /** The CRD's fields, as OpenAPI. */
  readonly schema: KubernetesAnswer | null;
  /** Reviews of the controller's right to our metric, by namespace of the PodAutoscalers that need it. */
  readonly reviews: ReadonlyMap<string, KubernetesAnswer>;
}

const name = 'aibrix-controller-manager';
/** The manifests give it this name, and a Helm release of another name this label. */
const controllerPaths = [
  `/apis/apps/v1/deployments?fieldSelector=metadata.name%3D${name}`,
  `/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fcomponent%3D${name}`,
];
const listPath = '/apis/autoscaling.aibrix.ai/v1alpha1/podautoscalers';
/** Readable for whoever is authenticated, which the CustomResourceDefinition is not. */
const schemaPath = '/openapi/v3/apis/autoscaling.aibrix.ai/v1alpha1';

/** @param isOurs of a `namespace/deployment` */
export const askOfAibrix = async (
  kubernetes: KubernetesRequest,
  isOurs: (key: string) => boolean,
): Promise<ControllerEvidence> => {
  const list = await kubernetes('GET', listPath);
  const nothing = { controllers: [], schema: null, reviews: new Map<string, KubernetesAnswer>() };
  if (!succeeded(list)) return { ...nothing, podAutoscalers: list.status === 404 ? [] : list };
  const podAutoscalers = itemsOf<PodAutoscalerObject>(list).filter(
    ({ metadata, spec }) =>
      spec.scaleTargetRef.kind === 'Deployment' && isOurs(`${metadata.namespace}/${spec.scaleTargetRef.name}`),
  );
  if (podAutoscalers.length === 0) return { ...nothing, podAutoscalers };
  const controllers = await Promise.all(controllerPaths.map((path) => kubernetes('GET', path)));
  const account = controllerOf(controllers)?.account;
  const namespaces = new Set(podAutoscalers.filter(needsCustomMetrics).map(({ metadata }) => metadata.namespace));
  const reviews = await Promise.all(
    [...(account === undefined ? [] : namespaces)].map(
      async (namespace) => [namespace, await kubernetes('POST', reviewsPath, reviewOf(account!, namespace))] as const,
    ),
  );
  return { podAutoscalers, controllers, schema: await kubernetes('GET', schemaPath), reviews: new Map(reviews) };
};

const reviewsPath = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
const reviewOf = ([namespace, account]: readonly [string, string], within: string) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SubjectAccessReview',
  spec: {
    user: `system:serviceaccount:${namespace}:${account}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    resourceAttributes: {
      ...{ group: 'custom.metrics.k8s.io', version: '*', resource: 'pods', subresource: 'gpumix_target_centi' },
      ...{ namespace: within, verb: 'get' },
    },
  },
});

/** What of AIBrix lies between our metric and spec.replicas; nothing where no PodAutoscaler scales a Deployment of ours. */
export const findingsOfAibrix = (seen: ControllerEvidence): readonly Finding[] => {
  const { podAutoscalers } = seen;
  if (!isList(podAutoscalers))
    return [unknown('not-read', 'PodAutoscalers of AIBrix', `cannot be read: ${refusal(podAutoscalers)}`)];
  if (podAutoscalers.length === 0) return [];
  const release = releaseOf(seen);
  return [
    releaseFinding(seen, release),
    ...podAutoscalers.flatMap((podAutoscaler) => podAutoscalerFindings(podAutoscaler, release)),
    ...rightFindings(seen, podAutoscalers),
  ];
};

interface Controller {
  readonly key: string;
  readonly image: string;
  /** Namespace and name of its ServiceAccount. */
  readonly account: readonly [string, string];
}
interface ControllerObject {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName?: string;
        readonly containers: readonly { readonly name: string; readonly image: string }[];
      };
    };
  };
}

const controllerOf = (answers: readonly KubernetesAnswer[]): Controller | null => {
  const [found] = answers.filter(succeeded).flatMap((answer) => itemsOf<ControllerObject>(answer));
  if (found === undefined) return null;
  const { metadata, spec } = found;
  const { containers, serviceAccountName = 'default' } = spec.template.spec;
  return {
    key: objectKey(metadata),
    image: (containers.find((container) => container.name === 'manager') ?? containers[0])?.image ?? '',
    account: [metadata.namespace, serviceAccountName],
  };
};

const releaseOf = ({ controllers, schema }: ControllerEvidence): ControllerRelease => ({
  version: versionOfImage(controllerOf(controllers)?.image ?? ''),
  newerFields: schema !== null && succeeded(schema) ? hasNewerFields(schema.body) : null,
});

interface Schema {
  readonly 'x-kubernetes-group-version-kind'?: readonly { readonly kind: string }[];
  readonly properties?: { readonly spec?: { readonly properties?: Readonly<Record<string, unknown>> } };
}
/** `observeWindowSeconds` and `schedules` came after v0.7.0; null where there is no PodAutoscaler. */
const hasNewerFields = (body: unknown): boolean | null => {
  const schemas = (body as { readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> } }).components;
  const schema = Object.values(schemas?.schemas ?? {}).find((definition) =>
    definition['x-kubernetes-group-version-kind']?.some(({ kind }) => kind === 'PodAutoscaler'),
  );
  const fields = schema?.properties?.spec?.properties;
  return fields === undefined ? null : 'observeWindowSeconds' in fields || 'schedules' in fields;
};

const releaseFinding = ({ controllers }: ControllerEvidence, release: ControllerRelease): Finding => {
  const controller = controllerOf(controllers);
  if (release.version !== null) return ok(`AIBrix's controller ${controller?.key}`, `is ${release.version}`);
  const refused = controllers.find((answer) => !succeeded(answer));
  const why =
    controller !== null
      ? `the image of Deployment ${controller.key}, ${controller.image}, names none`
      : refused !== undefined
        ? `Deployments: ${refusal(refused)}`
        : `there is no Deployment ${name}, nor one labelled app.kubernetes.io/component: ${name}`;
  return unknown('aibrix-version', `the version of AIBrix's controller`, `is not known: ${why}; ${leftText(release)}`);
};
const leftText = (release: ControllerRelease): string =>
  release.newerFields === null
    ? 'what follows says for which it holds'
    : `by the fields of its CRD it is ${possibleEras(release).join(' or ')}`;

const rightFindings = (
  { controllers, reviews }: ControllerEvidence,
  podAutoscalers: readonly PodAutoscalerObject[],
): readonly Finding[] => {
  const account = controllerOf(controllers)?.account;
  const right = 'get pods/gpumix_target_centi of custom.metrics.k8s.io';
  if (account === undefined)
    return podAutoscalers.some(needsCustomMetrics)
      ? [
          unknown(
            'not-read',
            `AIBrix's controller`,
            `has a ServiceAccount that is not known: whether it may ${right} cannot be asked`,
          ),
        ]
      : [];
  const who = `ServiceAccount ${account.join('/')} of AIBrix's controller`;
  return [...reviews].map(([namespace, answer]) => {
    if (!succeeded(answer))
      return unknown('not-read', who, `cannot be asked for: whether it may ${right} in ${namespace}: ${refusal(answer)}`);
    const allowed = (answer.body as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true;
    return allowed
      ? ok(who, `may ${right} in ${namespace}`)
      : wrong('aibrix-right', who, `may not ${right} in ${namespace}, and takes the refusal for 0`);
  });
};

const isList = (seen: ControllerEvidence['podAutoscalers']): seen is readonly PodAutoscalerObject[] => Array.isArray(seen);
