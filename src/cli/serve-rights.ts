import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import type { Config } from '../config/serve-config.ts';
import { type Finding, ok, unknown, wrong } from './finding.ts';
import { itemsOf, type KubernetesAnswer, refusal, succeeded } from './kubernetes-answer.ts';

/** A ServiceAccount that `serve` runs as. */
export interface ServeAccount {
  readonly namespace: string;
  readonly name: string;
  /** Whether it is who asks. */
  readonly isSelf: boolean;
}

/** Something that `serve` must be allowed to do. */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  /** What does not work without it. */
  readonly without: string;
  readonly mend: (account: ServeAccount) => string;
}

/** A right, and whether the account has it, as Kubernetes says. */
export interface ReviewedRight {
  readonly right: Right;
  readonly answer: KubernetesAnswer;
}

/** What is known of the rights of `serve`; null = nobody shows which ServiceAccount it is. */
export type ServeRights = { readonly account: ServeAccount; readonly reviews: readonly ReviewedRight[] } | null;

/** Asks Kubernetes what the ServiceAccount of `serve` may do: by its Deployment, or else as who asks. */
export const askForServeRights = async (
  kubernetes: KubernetesRequest,
  config: Pick<Config, 'serviceName' | 'tlsCertFile'>,
): Promise<ServeRights> => {
  const account = await accountOf(kubernetes);
  if (account === null) return null;
  const rights = rightsOf(account, config);
  const reviews = await Promise.all(
    rights.map(async (right) => ({ right, answer: await kubernetes('POST', reviewsPath(account), reviewOf(account, right)) })),
  );
  return { account, reviews };
};

/** Rights of `serve` that are missing, each with what gives it. */
export const serveRightFindings = (rights: ServeRights): readonly Finding[] => {
  if (rights === null) return [];
  const { account, reviews } = rights;
  const it = `ServiceAccount ${account.namespace}/${account.name}`;
  const unasked = reviews.find(({ answer }) => !succeeded(answer));
  const missing = reviews.filter(({ answer }) => succeeded(answer) && !isAllowed(answer));
  if (unasked === undefined && missing.length === 0) return [ok(it, 'has the rights of manifests/ and apiservice/')];
  return [
    ...(unasked === undefined ? [] : [unknown('not-read', it, `cannot be asked for its rights: ${refusal(unasked.answer)}`)]),
    ...missing.map(({ right }) => wrong('right-missing', it, `${missingText(right)}: ${right.without}`, right.mend(account))),
  ];
};

const missingText = ({ verb, resource, namespace, name }: Right): string => {
  const object = [resource, name].filter((part) => part !== undefined).join(' ');
  return `may not ${verb} ${object}${namespace === undefined ? '' : ` in ${namespace}`}`;
};

const isAllowed = ({ body }: KubernetesAnswer): boolean =>
  (body as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true;

const accountOf = async (kubernetes: KubernetesRequest): Promise<ServeAccount | null> => {
  const [self, deployments] = await Promise.all([
    kubernetes('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
    }),
    kubernetes('GET', '/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%3Dgpumix'),
  ]);
  const user = succeeded(self) ? userOf(self) : '';
  const [found] = succeeded(deployments) ? itemsOf<DeploymentObject>(deployments) : [];
  if (found !== undefined) {
    const name = found.spec.template.spec.serviceAccountName ?? 'default';
    const { namespace } = found.metadata;
    return { namespace, name, isSelf: user === `${serviceAccount}${namespace}:${name}` };
  }
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return namespace === undefined || name === undefined ? null : { namespace, name, isSelf: true };
};

const serviceAccount = 'system:serviceaccount:';

interface DeploymentObject {
  readonly metadata: { readonly namespace: string };
  readonly spec: { readonly template: { readonly spec: { readonly serviceAccountName?: string } } };
}

const userOf = ({ body }: KubernetesAnswer): string =>
  (body as { readonly status?: { readonly userInfo?: { readonly username?: string } } }).status?.userInfo?.username ?? '';

const reviewsPath = ({ isSelf }: ServeAccount): string =>
  `/apis/authorization.k8s.io/v1/${isSelf ? 'selfsubjectaccessreviews' : 'subjectaccessreviews'}`;

const reviewOf = ({ namespace, name, isSelf }: ServeAccount, right: Right) => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: isSelf ? 'SelfSubjectAccessReview' : 'SubjectAccessReview',
  spec: {
    ...(isSelf
      ? {}
      : {
          user: `${serviceAccount}${namespace}:${name}`,
          groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        }),
    resourceAttributes: {
      ...{ verb: right.verb, group: right.group, resource: right.resource },
      ...(right.namespace === undefined ? {} : { namespace: right.namespace }),
      ...(right.name === undefined ? {} : { name: right.name }),
    },
  },
});

const applied =
  (folder: string, how = '') =>
  (): string =>
    `kubectl apply --server-side${how} -k ${folder}`;
const ofAccount = ({ namespace, name }: ServeAccount): string => `--serviceaccount=${namespace}:${name}`;

const rightsOf = (
  { namespace, isSelf }: ServeAccount,
  { serviceName, tlsCertFile }: Pick<Config, 'serviceName' | 'tlsCertFile'>,
): readonly Right[] => {
  const delegated = {
    without: 'callers of its API are not known, so nobody can read a target',
    mend: (account: ServeAccount) =>
      `kubectl create clusterrolebinding gpumix-auth-delegator:${account.namespace} --clusterrole=system:auth-delegator ${ofAccount(account)}`,
  };
  const bundle = { without: 'the caBundle of its API is not kept up to date', mend: applied('apiservice', ' --force-conflicts') };
  const own = { namespace, mend: applied('manifests') };
  const lease = { ...own, group: 'coordination.k8s.io', resource: 'leases', name: serviceName, without: 'no replica can lead' };
  const certificate = {
    ...{ ...own, group: '', resource: 'secrets', name: `${serviceName}-serving-certificate` },
    without: 'its serving certificate is neither read nor renewed',
  };
  const watched = [
    ['apps', 'deployments'],
    ['', 'pods'],
    ['autoscaling', 'horizontalpodautoscalers'],
    ['', 'nodes'],
  ] as const;
  return [
    {
      ...{ verb: 'get', group: '', resource: 'configmaps', namespace: 'kube-system', name: 'extension-apiserver-authentication' },
      without: 'it does not know whom the API server sends, so that HPAs read nothing once it is started again',
      mend: (account) =>
        `kubectl create clusterrolebinding gpumix-auth-reader:${account.namespace} --clusterrole=gpumix-auth-reader:${account.namespace} ${ofAccount(account)}`,
    },
    { verb: 'create', group: 'authentication.k8s.io', resource: 'tokenreviews', ...delegated },
    { verb: 'create', group: 'authorization.k8s.io', resource: 'subjectaccessreviews', ...delegated },
    ...['v1beta1', 'v1beta2'].flatMap((version) =>
      ['get', 'update'].map((verb) => ({
        ...{ verb, group: 'apiregistration.k8s.io', resource: 'apiservices', name: `${version}.custom.metrics.k8s.io` },
        ...bundle,
        ...(verb === 'get' ? { mend: applied('manifests') } : {}),
      })),
    ),
    ...['get', 'update'].map((verb) => ({ verb, ...lease })),
    ...(tlsCertFile === null ? ['get', 'update'].map((verb) => ({ verb, ...certificate })) : []),
    // What who asks may not list is told by what he then does not see.
    ...(isSelf
      ? []
      : watched.map(([group, resource]) => ({
          ...{ verb: 'list', group, resource },
          ...{ without: 'it plans without them', mend: applied('manifests') },
        }))),
  ];
};
