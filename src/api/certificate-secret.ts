import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { forbidden } from '../vocabulary/errors.ts';
import type { RequestLog } from './log.ts';
import { type Certificates, defaultLifetimes, type Lifetimes, nextCertificates } from './rotation.ts';
import { polledCertificate, type ServingCertificate } from './serving-certificate.ts';
import type { KeyPair } from './x509.ts';

export interface SecretOptions {
  readonly kubernetes: KubernetesRequest;
  readonly namespace: string;
  /** Name of the Secret; it must exist, empty at first, so that we need no right to create Secrets. */
  readonly secret: string;
  /** The Service in the same namespace that APIService objects lead to. */
  readonly service: string;
  /** Names of the APIService objects that may be ours. */
  readonly apiServices: readonly string[];
  /** Whether this replica makes certificates; the others only read them. */
  readonly leads: () => boolean;
  readonly log: RequestLog;
  readonly lifetimes?: Lifetimes;
  readonly pollMilliseconds?: number;
}

/**
 * A certificate of our own authority, kept in a Secret that all replicas read, its authority written into the caBundle
 * of the APIService objects that lead to us. Until the Secret could be read a certificate that nobody trusts is shown,
 * so that probes are answered; `problem` says so.
 */
export const certificateFromSecret = (options: SecretOptions): ServingCertificate => {
  const names = dnsNames(options);
  const read = async (): Promise<KeyPair> => {
    const certificates = options.leads() ? await maintain(options, names) : (await readSecret(options)).certificates;
    if (certificates === null) throw new StillEmpty(options.secret);
    return certificates.serving;
  };
  return polledCertificate({
    first: nextCertificates(null, names, new Date()).serving,
    makeshift: true,
    read,
    pollMilliseconds: options.pollMilliseconds,
    sayProblem: (problem, none) => {
      // So begins every installation: its leader is about to make one.
      if (none && problem === new StillEmpty(options.secret).message) options.log.info({ problem }, 'no serving certificate yet');
      else
        options.log.warn(
          { problem },
          none ? 'no serving certificate yet' : 'serving certificate not maintained, the last one stands',
        );
    },
  });
};

class StillEmpty extends Error {
  constructor(secret: string) {
    super(`Secret ${secret} is still empty`);
  }
}

const dnsNames = ({ service, namespace }: SecretOptions): readonly string[] => {
  const full = `${service}.${namespace}.svc`;
  return [full, `${full}.cluster.local`, `${service}.${namespace}`, service];
};

/** Takes the next step that is due, and keeps the bundle true. Another replica that was faster is no failure. */
const maintain = async (options: SecretOptions, names: readonly string[]): Promise<Certificates> => {
  const { object, certificates } = await readSecret(options);
  const next = nextCertificates(certificates, names, new Date(), options.lifetimes ?? defaultLifetimes);
  if (next !== certificates) {
    const answer = await getOrPut(options, secretPath(options), { ...object, data: encoded(next) });
    if (answer.status !== 200) throw refusedSecret('update', options, answer.status);
    options.log.info({ authorities: next.authorities.length }, 'serving certificate: next step taken');
  }
  await publishBundle(options, next.authorities.join(''));
  return next;
};

/** GET; PUT when `object` is given. */
const getOrPut = ({ kubernetes }: SecretOptions, path: string, object?: object) =>
  kubernetes(object === undefined ? 'GET' : 'PUT', path, object, AbortSignal.timeout(10_000));

const secretPath = ({ namespace, secret }: SecretOptions) => `/api/v1/namespaces/${namespace}/secrets/${secret}`;

const readSecret = async (options: SecretOptions): Promise<{ object: object; certificates: Certificates | null }> => {
  const answer = await getOrPut(options, secretPath(options));
  if (answer.status !== 200) throw refusedSecret('get', options, answer.status);
  const object = answer.body as { data?: Readonly<Record<string, string>> };
  return { object, certificates: decoded(object.data ?? {}) };
};

const encoded = ({ authorities, authorityKey, serving }: Certificates) => ({
  'ca.crt': base64(authorities.join('')),
  'ca.key': base64(authorityKey),
  'tls.crt': base64(serving.certificate),
  'tls.key': base64(serving.privateKey),
});
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const decoded = (data: Readonly<Record<string, string>>): Certificates | null => {
  const [bundle, authorityKey, certificate, privateKey] = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'].map((key) =>
    Buffer.from(data[key] ?? '', 'base64').toString(),
  );
  if (!bundle || !authorityKey || !certificate || !privateKey) return null;
  const authorities = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g) ?? [];
  return { authorities, authorityKey, serving: { certificate, privateKey } };
};

interface ApiService {
  readonly spec: {
    readonly service?: { readonly name?: string; readonly namespace?: string } | null;
    readonly caBundle?: string;
    readonly insecureSkipTLSVerify?: boolean;
  };
}

/** Writes our authorities into the APIServices that lead to us; one that leads elsewhere is left alone. */
const publishBundle = async (options: SecretOptions, bundle: string): Promise<void> => {
  for (const name of options.apiServices) {
    const path = `/apis/apiregistration.k8s.io/v1/apiservices/${name}`;
    const answer = await getOrPut(options, path);
    if (answer.status === 404) continue; // not installed (yet)
    if (answer.status !== 200) throw refusedApiService('get', name, answer.status);
    const object = answer.body as ApiService;
    const { service, caBundle, insecureSkipTLSVerify = false } = object.spec;
    const isOurs = service?.name === options.service && service.namespace === options.namespace;
    if (!isOurs || insecureSkipTLSVerify || caBundle === base64(bundle)) continue;
    const updated = { ...object, spec: { ...object.spec, caBundle: base64(bundle) } };
    const written = await getOrPut(options, path, updated);
    if (written.status !== 200) throw refusedApiService('update', name, written.status);
    options.log.info({ apiService: name }, 'caBundle written');
  }
};

const refusedSecret = (verb: string, { namespace, secret }: SecretOptions, status: number): Error => {
  const object = `Secret ${namespace}/${secret}`;
  if (status !== 404) return refused(verb, object, 'Role gpumix-serving-certificate in manifests/', status);
  const cure = 'kubectl apply --server-side -k manifests puts it back empty, and it is filled again';
  return new Error(`${object} is gone: ${cure}`);
};
const refusedApiService = (verb: string, name: string, status: number): Error => {
  return refused(
    verb,
    `APIService ${name}`,
    verb === 'get' ? 'ClusterRole gpumix-apiservice in manifests/' : bundleRole(name),
    status,
  );
};
const bundleRole = (name: string): string =>
  name.includes('.external.')
    ? 'ClusterRole gpumix-ca-bundle-external in apiservice/external/'
    : 'ClusterRole gpumix-ca-bundle in apiservice/';
const refused = (verb: string, object: string, givenIn: string, status: number): Error =>
  status === 403 ? forbidden(verb, object, givenIn) : new Error(`cannot ${verb} ${object}: kube-apiserver answered ${status}`);
