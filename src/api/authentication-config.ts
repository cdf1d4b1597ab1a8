import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { forbidden, GpumixError, messageOf } from '../vocabulary/errors.ts';
import { type Authorities, authoritiesOf } from './client-certificate.ts';
import type { RequestLog } from './log.ts';

/** Whom the cluster trusts to say who is asking: ConfigMap kube-system/extension-apiserver-authentication. */
export interface AuthenticationConfig {
  /** Vouch for users' own certificates; null: nobody does. */
  readonly clientAuthorities: Authorities | null;
  /** The front proxy: kube-apiserver when it passes on a request; null: there is none. */
  readonly frontProxy: FrontProxy | null;
}
export interface FrontProxy {
  readonly authorities: Authorities;
  /** Common names; none: any certificate of these authorities. */
  readonly allowedNames: readonly string[];
  /** Header names, lower case. */
  readonly userHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

const configMap = 'kube-system/extension-apiserver-authentication';
const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
const nobody: AuthenticationConfig = { clientAuthorities: null, frontProxy: null };
const pollMilliseconds = 10_000;
/** A certificate that nobody vouches for makes us look again, but not more often than this. */
const soonestMilliseconds = 1_000;

export interface WatchedAuthenticationConfig {
  /** Undefined until it was read once. */
  readonly current: () => AuthenticationConfig | undefined;
  /** Resolves when it has been read anew from now on; at most one read a second, so that takes up to a second. */
  readonly refresh: () => Promise<void>;
  readonly stop: () => void;
}

/**
 * Reads the ConfigMap and keeps it fresh: every ten seconds, and at once when a certificate is shown that nobody
 * vouches for, so that a rotated front proxy loses no request. What cannot be read leaves the last good value. Throws
 * when we are not allowed to read it.
 */
export const watchAuthenticationConfig = async (
  request: KubernetesRequest,
  log: RequestLog,
): Promise<WatchedAuthenticationConfig> => {
  let current: AuthenticationConfig | undefined;
  let source = '';
  let lastRead = Number.NEGATIVE_INFINITY;
  /** The read that is going on, and the one that will follow it; both never fail. */
  let reading: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    const asked = request('GET', path, undefined, AbortSignal.timeout(pollMilliseconds));
    // Not before it is asked: a process that stands still in between would ask again too soon.
    lastRead = performance.now();
    const answer = await asked;
    if (answer.status === 403) throw forbidden('get', `ConfigMap ${configMap}`, 'ClusterRole gpumix-auth-reader in manifests/');
    if (answer.status !== 200 && answer.status !== 404) throw new Error(`kube-apiserver answered ${answer.status}`);
    const text = JSON.stringify((answer.body as { data?: object } | undefined)?.data ?? {});
    const gone = answer.status === 404 || text === '{}';
    if (text === source || (gone && current !== undefined)) return;
    current = gone ? nobody : parsedConfig(JSON.parse(text), current ?? nobody, log);
    source = text;
  };
  /** Whoever asks now waits for a read that begins later: one that is under way may have asked before the change. */
  const refresh = (): Promise<void> => {
    next ??= reading.then(async () => {
      await pause(Math.max(0, lastRead + soonestMilliseconds - performance.now()));
      next = undefined;
      reading = read().catch((error: unknown) => {
        const what = current === undefined ? 'not read yet' : 'not read, the last one stands';
        log.warn({ problem: messageOf(error) }, `authentication configuration ${what}`);
      });
      await reading;
    });
    return next;
  };

  await read().catch((error: unknown) => {
    if (error instanceof GpumixError) throw error;
    log.warn({ problem: messageOf(error) }, 'authentication configuration not read yet');
  });
  const due = () => current === undefined || performance.now() - lastRead >= pollMilliseconds;
  const timer = setInterval(() => due() && void refresh(), soonestMilliseconds).unref();
  return { current: () => current, refresh, stop: () => clearInterval(timer) };
};

type Data = Readonly<Record<string, string | undefined>>;

const parsedConfig = (data: Data, last: AuthenticationConfig, log: RequestLog): AuthenticationConfig => {
  const bundle = (key: string, lastGood: Authorities | null): Authorities | null => {
    const pem = data[key];
    if (pem === undefined || pem.trim() === '') return lastGood;
    try {
      return authoritiesOf(pem);
    } catch (error) {
      const what = lastGood === null ? 'there is none before it' : 'the last one stands';
      log.warn({ key, problem: messageOf(error) }, `authentication configuration: bundle not read, ${what}`);
      return lastGood;
    }
  };
  const clientAuthorities = bundle('client-ca-file', last.clientAuthorities);
  const authorities = bundle('requestheader-client-ca-file', last.frontProxy?.authorities ?? null);
  const lowerCase = (key: string) => stringList(data[key]).map((name) => name.toLowerCase());
  const frontProxy = authorities && {
    authorities,
    allowedNames: stringList(data['requestheader-allowed-names']),
    userHeaders: lowerCase('requestheader-username-headers'),
    uidHeaders: lowerCase('requestheader-uid-headers'),
    groupHeaders: lowerCase('requestheader-group-headers'),
    extraPrefixes: lowerCase('requestheader-extra-headers-prefix'),
  };
  return { clientAuthorities, frontProxy };
};

/** A JSON array of strings; a list that cannot be read must not turn into "any name is allowed". */
const stringList = (text: string | undefined): readonly string[] => {
  if (text === undefined || text.trim() === '') return [];
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'string')) throw new Error(`not a list: ${text}`);
  return list;
};
