import { StatusError } from './status.ts';

/** Content negotiation by the rules of apiserver's pkg/endpoints/handlers/negotiation. */

export const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const;
export type MediaType = (typeof mediaTypes)[number];

export interface Representation {
  readonly mediaType: MediaType;
  /** JSON only: indented. */
  readonly pretty: boolean;
}

/** One clause of an Accept header. */
interface Clause {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly quality: number;
}

/** What an answer is written in, of what the route `offered`. Throws a 406. */
export const negotiated = (accept: string | undefined, offered: readonly MediaType[] = mediaTypes): Representation => {
  if (accept === undefined || accept === '*/*') return { mediaType: offered[0] ?? 'application/json', pretty: false };
  const routable = clauses(accept).filter(({ type }) => type === '*/*' || offered.some((one) => one === type));
  if (routable.length === 0) throw notAcceptable(offered);
  for (const { type, parameters } of routable) {
    const mediaType = type === '*/*' ? offered[0] : offered.find((one) => one === type);
    if (mediaType !== undefined && allowed(mediaType, parameters)) {
      return { mediaType, pretty: parameters.get('pretty') === '1' };
    }
  }
  throw new StatusError(406, 'NotAcceptable', `only the following media types are accepted: ${mediaTypes.join(', ')}`);
};

/** Whether the caller prefers, or takes before plain JSON, the aggregated form of discovery that `parameters` name. */
export const asksForAggregated = (accept: string | undefined): MediaType | undefined => {
  for (const { type, parameters } of clauses(accept ?? '')) {
    const conversion = ['g', 'v', 'as'].map((name) => parameters.get(name));
    const mediaType = type === '*/*' ? mediaTypes[0] : mediaTypes.find((one) => one === type);
    if (mediaType === undefined) continue;
    if (conversion.join() === 'apidiscovery.k8s.io,v2,APIGroupDiscoveryList') return mediaType;
    if (conversion.every((value) => value === undefined)) return undefined;
  }
  return undefined;
};

/** Whether to indent JSON where the Accept header does not say: `?pretty=`, else for tools that people read from. */
export const prettyByDefault = (query: URLSearchParams, userAgent: string | undefined): boolean => {
  const asked = query.get('pretty');
  if (asked !== null && asked !== '') return ['1', 't', 'T', 'true', 'TRUE', 'True'].includes(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
};

/** Conversions to tables and the like are refused; a stream only exists where its serializer does. */
const allowed = (mediaType: MediaType, parameters: ReadonlyMap<string, string>): boolean => {
  if (['as', 'g', 'v'].some((name) => (parameters.get(name) ?? '') !== '')) return false;
  if ((parameters.get('sv') ?? '') !== '') return false;
  const stream = parameters.get('stream') ?? '';
  return stream === '' || (stream === 'watch' && mediaType !== 'application/yaml');
};

/** In order of preference: quality, then the concrete ones before wildcards, else as written; broken ones left out. */
const clauses = (accept: string): readonly Clause[] =>
  accept
    .split(',')
    .flatMap(parsedClause)
    .sort((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type));

const wildcards = (type: string): number => (type === '*/*' ? 2 : type.endsWith('/*') ? 1 : 0);

const parsedClause = (text: string): readonly Clause[] => {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return [];
  const pairs = rest.filter((part) => part !== '').map((part) => /^([^=\s]+)\s*=\s*"?([^"]*)"?$/.exec(part));
  if (pairs.includes(null)) return [];
  const parameters = new Map(pairs.map((pair) => [(pair?.[1] ?? '').toLowerCase(), pair?.[2] ?? '']));
  const quality = Number(parameters.get('q') ?? '1');
  return Number.isNaN(quality) ? [] : [{ type: type.toLowerCase(), parameters, quality }];
};

const notAcceptable = (offered: readonly MediaType[]): StatusError => {
  const streams = offered.length === mediaTypes.length ? streamTypes : [];
  const available = [...offered, ...streams].join(', ');
  const message = `406: Not Acceptable\n\nAvailable representations: ${available}`;
  return new StatusError(406, 'NotAcceptable', message, {});
};
const streamTypes = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];
