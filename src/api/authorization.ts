import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { messageOf } from '../vocabulary/errors.ts';
import type { User } from './authentication.ts';
import { remembered } from './expiring-cache.ts';
import { parseLabelSelector, selectorRequirements } from './label-selector.ts';
import { manyNames } from './many-names.ts';
import type { RequestInfo, ResourceRequest } from './request-info.ts';
import { reviewer } from './reviews.ts';
import { PlainError, StatusError } from './status.ts';

/** May `user` do that? Rejects with what he is to be told when he may not. */
export type Authorize = (user: User, info: RequestInfo) => Promise<void>;

/** kube-apiserver's answer to a SubjectAccessReview. */
interface Verdict {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly reason: string;
}

const memoryMilliseconds = 10_000;
const openPaths = new Set(['/healthz', '/readyz', '/livez']);
/** Attributes that the caller chooses, longer than this, are not worth the memory of a cache. */
const longestCachedKey = 10_000;

export const isMaster = (user: User): boolean => user.groups.includes('system:masters');

/** Asks kube-apiserver, whose word counts for ten seconds. No answer is a 500: nothing is served on a guess. */
export const authorizer = (kubernetes: KubernetesRequest, clock: () => number = () => performance.now()): Authorize => {
  const review = reviewer(kubernetes);
  const recall = remembered<Verdict>({ entries: 8192, milliseconds: memoryMilliseconds, clock });
  const lookUp = async (spec: object): Promise<Verdict> => {
    const status = await review<Verdict>('authorization.k8s.io', 'SubjectAccessReview', spec);
    const { allowed = false, denied = false, reason = '' } = status;
    if (allowed && denied) throw new Error('SubjectAccessReview: allowed and denied at once');
    return { allowed, denied, reason };
  };
  const names = manyNames(memoryMilliseconds, clock);
  const reviewed = (spec: object, onLookUp = () => {}): Promise<Verdict> => {
    const key = JSON.stringify(spec);
    const ask = () => {
      onLookUp();
      return lookUp(spec);
    };
    return recall(key, ask, key.length <= longestCachedKey);
  };
  /**
   * The aggregator has authorized this very name; whether all names are allowed is one question for thousands: a review
   * without a name is allowed only where every name is.
   */
  const verdictOn = async (user: User, info: RequestInfo): Promise<Verdict> => {
    const spec = reviewSpec(user, info);
    if (!user.aggregated || !info.resource?.name) return await reviewed(spec);
    const ofAnyName = reviewSpec(user, { ...info, resource: { ...info.resource, name: '' } });
    const collection = JSON.stringify(ofAnyName);
    const all = names.asked(collection) ? await reviewed(ofAnyName) : undefined;
    return all?.allowed ? all : await reviewed(spec, () => names.note(collection));
  };
  return async (user, info) => {
    if (isMaster(user) || (info.resource === null && openPaths.has(info.path))) return;
    const verdict = await verdictOn(user, info).catch((error: unknown) => {
      throw new PlainError(500, `Internal Server Error: ${JSON.stringify(info.path)}: ${messageOf(error)}`);
    });
    if (!verdict.allowed) throw forbidden(user, info, verdict.reason);
  };
};

/** The spec of a SubjectAccessReview; empty attributes are left out. */
const reviewSpec = (user: User, info: RequestInfo): object => ({
  ...(info.resource === null
    ? { nonResourceAttributes: { path: info.path, verb: info.verb } }
    : { resourceAttributes: { ...resourceAttributes(info.verb, info.resource), ...selection(info) } }),
  user: user.name,
  groups: user.groups,
  ...(user.uid === '' ? {} : { uid: user.uid }),
  ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
});

const resourceAttributes = (verb: string, { segments: _segments, ...attributes }: ResourceRequest) =>
  Object.fromEntries(Object.entries({ verb, ...attributes }).filter(([, value]) => value !== ''));

/** What a list or watch is limited to, so that rights can be; a selector that cannot be read limits nothing. */
const selection = ({ verb, query }: RequestInfo): object => {
  const text = query.get('labelSelector') ?? '';
  if ((verb !== 'list' && verb !== 'watch') || text === '') return {};
  try {
    return { labelSelector: { requirements: selectorRequirements(parseLabelSelector(text)) } };
  } catch {
    return {};
  }
};

const forbidden = (user: User, { path, verb, resource: request }: RequestInfo, reason: string): StatusError => {
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  const because = reason === '' ? '' : `: ${reason}`;
  if (request === null) {
    const message = `forbidden: ${who} path ${JSON.stringify(path)}${because}`;
    return new StatusError(403, 'Forbidden', htmlEscaped(message), {});
  }
  const { group, resource, subresource, namespace, name } = request;
  const what = JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`);
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const object = name === '' ? '' : ` ${JSON.stringify(name)}`;
  const message = `${resource}.${group}${object} is forbidden: ${who} resource ${what} in API group ${JSON.stringify(group)} ${where}${because}`;
  const details = { ...(name === '' ? {} : { name }), group, kind: resource };
  return new StatusError(403, 'Forbidden', htmlEscaped(message), details);
};

const htmlEscaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
