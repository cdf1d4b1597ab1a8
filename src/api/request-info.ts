import { badRequest } from './status.ts';

/** What a request asks for: kube-apiserver's RequestInfo. Authorization and handlers both go by it, and by nothing else. */
export interface RequestInfo {
  /** Percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `get`, `list`, ... of a resource; the method in lower case elsewhere. */
  readonly verb: string;
  /** Null for discovery, probes and the like. */
  readonly resource: ResourceRequest | null;
}

export interface ResourceRequest {
  readonly group: string;
  readonly version: string;
  /** Empty at the cluster scope. */
  readonly namespace: string;
  readonly resource: string;
  readonly name: string;
  readonly subresource: string;
  /** All segments below the version. */
  readonly segments: readonly string[];
}

const verbs: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The path and the query of a request target; a path that cannot be decoded is a bad request. */
export const pathAndQuery = (target: string): { path: string; query: URLSearchParams } => {
  const mark = target.indexOf('?');
  const encoded = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? noQuery : new URLSearchParams(target.slice(mark + 1));
  try {
    return { path: encoded.includes('%') ? decodeURIComponent(encoded) : encoded, query };
  } catch {
    throw badRequest(`invalid path ${JSON.stringify(encoded)}`);
  }
};

const noQuery = new URLSearchParams();

/** Reads a request the way the generic API server does (apiserver, pkg/endpoints/request/requestinfo.go). */
export const requestInfo = (method: string, target: string): RequestInfo => {
  const { path, query } = pathAndQuery(target);
  const [root, group, version, ...segments] = trimmed(path).split('/');
  if (root !== 'apis' || group === undefined || version === undefined || segments.length === 0) {
    return { path, query, verb: method.toLowerCase(), resource: null };
  }
  const special = segments.length > 1 && (segments[0] === 'watch' || segments[0] === 'proxy');
  const relative = special ? segments.slice(1) : segments;
  const { namespace, parts } = scoped(relative);
  const [resource = '', inPath = '', subresource = ''] = parts;
  const verb = special ? (segments[0] ?? '') : (verbs[method] ?? '');
  const name = inPath === '' && verb === 'get' ? namedByFieldSelector(query) : inPath;
  return {
    path,
    query,
    verb: inPath === '' ? collectionVerb(verb, query) : verb,
    resource: { group, version, namespace, resource, name, subresource, segments },
  };
};

const trimmed = (path: string): string => path.replace(/^\/+|\/+$/g, '');

/** `namespaces/NS/...` puts the rest into NS, unless the rest is a subresource of the namespace itself. */
const scoped = (segments: readonly string[]): { namespace: string; parts: readonly string[] } => {
  const [first, namespace, third] = segments;
  if (first !== 'namespaces' || namespace === undefined) return { namespace: '', parts: segments };
  const ofNamespace = third === undefined || third === 'status' || third === 'finalize';
  return { namespace, parts: ofNamespace ? segments : segments.slice(2) };
};

const collectionVerb = (verb: string, query: URLSearchParams): string => {
  if (verb === 'delete') return 'deletecollection';
  if (verb !== 'get') return verb;
  return isTrue(query.get('watch')) ? 'watch' : 'list';
};

/** Absent, `0` and `false` are false; everything else, also nothing, is true. */
export const isTrue = (value: string | null): boolean => value !== null && value !== '0' && value.toLowerCase() !== 'false';

const namedByFieldSelector = (query: URLSearchParams): string =>
  /(?:^|,)metadata\.name==?([^,=!\\/%]+)(?:,|$)/.exec(query.get('fieldSelector') ?? '')?.[1] ?? '';
