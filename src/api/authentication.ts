import { createHmac, randomBytes } from 'node:crypto';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import type { FrontProxy, WatchedAuthenticationConfig } from './authentication-config.ts';
import { type ClientCertificate, vouchedFor } from './client-certificate.ts';
import { remembered } from './expiring-cache.ts';
import { reviewer } from './reviews.ts';
import { unauthorized } from './status.ts';

/** Who is asking. */
export interface User {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
  /** Whether kube-apiserver names him, which has authorized his request itself before passing it on. */
  readonly aggregated: boolean;
}

/** What a request shows of who is asking. */
export interface Credentials {
  readonly certificate: ClientCertificate | null;
  /** Names and values in turn, as they came: repeated headers stay apart, since a group may hold a comma. */
  readonly rawHeaders: readonly string[];
}

/** Rejects with a 401. */
export type Authenticate = (credentials: Credentials) => Promise<User>;

const anonymous: User = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
  aggregated: false,
};

/** What one way of authentication has to say: who it is, nothing, or that the credentials are bad. */
type Opinion = User | 'nothing' | 'bad';

/**
 * Front proxy, client certificate, bearer token: the first that knows the caller wins. Credentials that nobody accepts
 * are a 401; no credentials are the anonymous user.
 */
export const authenticator = (config: WatchedAuthenticationConfig, kubernetes: KubernetesRequest): Authenticate => {
  const byToken = tokenReviewer(kubernetes);
  const byCertificate = (credentials: Credentials): Opinion => {
    const { clientAuthorities = null, frontProxy = null } = config.current() ?? {};
    const now = Date.now();
    const first = frontProxy ? fromFrontProxy(frontProxy, credentials, now) : 'nothing';
    if (typeof first === 'object' || credentials.certificate === null) return first;
    if (clientAuthorities && vouchedFor(credentials.certificate, clientAuthorities, now)) {
      return ofCertificate(credentials.certificate);
    }
    return 'bad';
  };
  return async (credentials) => {
    let opinion = byCertificate(credentials);
    if (opinion === 'bad') {
      await config.refresh();
      opinion = byCertificate(credentials);
    }
    if (typeof opinion === 'object') return authenticated(opinion);
    const token = bearerToken(credentials.rawHeaders);
    const user = token === undefined ? opinion : await byToken(token);
    if (typeof user === 'object') return authenticated(user);
    if (user === 'bad' || opinion === 'bad') throw unauthorized();
    return anonymous;
  };
};

const authenticated = (user: User): User => {
  const group = 'system:authenticated';
  if (user.name === anonymous.name || user.groups.includes(group)) return user;
  return { ...user, groups: [...user.groups, group] };
};

const fromFrontProxy = (proxy: FrontProxy, { certificate, rawHeaders }: Credentials, now: number): Opinion => {
  if (certificate === null) return 'nothing';
  if (!vouchedFor(certificate, proxy.authorities, now)) return 'bad';
  if (proxy.allowedNames.length > 0 && !proxy.allowedNames.includes(certificate.commonName)) return 'bad';
  const headers = headersOf(rawHeaders);
  const values = (names: readonly string[]): readonly string[] =>
    names.flatMap((name) => valuesOf(headers, name)).filter((value) => value !== '');
  const [name] = values(proxy.userHeaders);
  if (name === undefined) return 'nothing';
  const [uid = ''] = values(proxy.uidHeaders);
  const extra = extraOf(proxy.extraPrefixes, headers);
  return { name, uid, groups: values(proxy.groupHeaders), extra, aggregated: true };
};

/** Names in lower case, values as they are. */
type Headers = readonly (readonly [name: string, value: string])[];
const headersOf = (raw: readonly string[]): Headers =>
  raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1] ?? ''] as const] : []));

const valuesOf = (headers: Headers, name: string): readonly string[] =>
  headers.flatMap(([header, value]) => (header === name ? [value] : []));

const extraOf = (prefixes: readonly string[], headers: Headers): Record<string, string[]> => {
  const extra: Record<string, string[]> = Object.create(null);
  for (const [name, value] of headers) {
    const prefix = prefixes.find((start) => name.startsWith(start));
    if (prefix === undefined) continue;
    const key = percentDecoded(name.slice(prefix.length));
    extra[key] = [...(extra[key] ?? []), value];
  }
  return extra;
};

const percentDecoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const ofCertificate = ({ leaf, commonName, organizations }: ClientCertificate): User => {
  const fingerprint = leaf.fingerprint256.replaceAll(':', '').toLowerCase();
  const extra = { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`] };
  return { name: commonName, uid: '', groups: organizations, extra, aggregated: false };
};

const bearerToken = (rawHeaders: readonly string[]): string | undefined => {
  const [header = ''] = valuesOf(headersOf(rawHeaders), 'authorization');
  const [scheme, token] = header.trim().split(' ');
  return scheme?.toLowerCase() === 'bearer' && token !== undefined && token !== '' ? token : undefined;
};

/** Asks kube-apiserver whose token it is; its word counts for ten seconds. No answer: bad, never anonymous. */
const tokenReviewer = (kubernetes: KubernetesRequest): ((token: string) => Promise<Opinion>) => {
  const review = reviewer(kubernetes);
  const recall = remembered<Opinion>({ entries: 8192, milliseconds: 10_000, clock: () => performance.now() });
  const secret = randomBytes(32);
  const lookUp = async (token: string): Promise<Opinion> => {
    const { authenticated = false, user } = await review<TokenReview>('authentication.k8s.io', 'TokenReview', {
      token,
    });
    if (!authenticated || user?.username === undefined) return 'bad';
    const { username, uid = '', groups = [], extra = {} } = user;
    return { name: username, uid, groups, extra, aggregated: false };
  };
  return async (token) => {
    const key = createHmac('sha256', secret).update(token).digest('base64');
    return recall(key, () => lookUp(token)).catch((): Opinion => 'bad');
  };
};
interface TokenReview {
  readonly authenticated: boolean;
  readonly user: Partial<Omit<User, 'name' | 'aggregated'>> & { readonly username?: string };
}

/** Whether a header, its name in lower case, says who is asking; nothing behind authentication may see it. */
export const isCredentialHeader = (config: WatchedAuthenticationConfig, name: string): boolean => {
  if (fixedHeaders.has(name) || name.startsWith('x-remote-extra-')) return true;
  const proxy = config.current()?.frontProxy;
  if (!proxy) return false;
  const { userHeaders, uidHeaders, groupHeaders, extraPrefixes } = proxy;
  const named = userHeaders.includes(name) || uidHeaders.includes(name) || groupHeaders.includes(name);
  return named || extraPrefixes.some((prefix) => name.startsWith(prefix));
};
const fixedHeaders = new Set(['authorization', 'x-remote-user', 'x-remote-uid', 'x-remote-group']);
