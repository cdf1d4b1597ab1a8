import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, jsonOrText } from '../formats/json.ts';
import { forbidden, GpumixError, messageOf } from '../vocabulary/errors.ts';
import type { Kubernetes } from './kubernetes-connection.ts';
import { type KubernetesObject, objectKey } from './kubernetes-object.ts';

export interface Resource<Source extends KubernetesObject, Kept> {
  /** `/apis/apps/v1/deployments` */
  readonly path: string;
  /** What to keep of an object; null = nothing. `previous` is what was kept of it before. */
  keep(object: Source, previous: Kept | undefined): Kept | null;
  /** Whether the kind may be unknown to the cluster (a CustomResourceDefinition that is not installed). */
  readonly optional?: boolean;
  /** Only the object of this name. */
  readonly name?: string;
  /** What in our manifests gives the right to read it; else the ClusterRole. */
  readonly givenIn?: string;
}

/** The objects of one kind, kept up to date by list and watch. */
export interface Reflector<Kept> {
  /** By `namespace/name`. What was known stands while the API server is away. */
  readonly items: ReadonlyMap<string, Kept>;
  /** Whether the list has been read once. */
  synced(): boolean;
  /** What is wrong now, in one line; null = nothing. */
  problem(): string | null;
  stop(): void;
}

export interface ReflectorTiming {
  /** The server ends a watch after this long (s); one that it does not end in time is a dead connection. */
  readonly watchSeconds: number;
  /** How much later than that we wait (s). */
  readonly graceSeconds: number;
  /** First and longest pause between attempts (s). */
  readonly pauseSeconds: number;
  readonly longestPauseSeconds: number;
}

/** A watch whose connection has died without a word is noticed after 25 + 5 s; the next attempt may meet another dead one. */
export const defaultTiming: ReflectorTiming = {
  watchSeconds: 25,
  graceSeconds: 5,
  pauseSeconds: 0.5,
  longestPauseSeconds: 30,
};

const pageSize = 250;

/**
 * Lists a kind page by page and watches it from there; lists again when the server no longer knows our version (410).
 * Attempts that fail are spaced out up to `longestPauseSeconds`, with jitter, so that a server that comes back is not
 * flooded.
 */
export const reflector = <Source extends KubernetesObject, Kept>(
  kubernetes: Kubernetes,
  resource: Resource<Source, Kept>,
  timing: ReflectorTiming = defaultTiming,
  random: () => number = Math.random,
): Reflector<Kept> => {
  const items = new Map<string, Kept>();
  const stopped = new AbortController();
  const { signal } = stopped;
  /** The version reached; null = list first. */
  let version: string | null = null;
  let synced = false;
  let problem: string | null = null;

  const keep = (object: Source, into: Map<string, Kept>): void => {
    const key = objectKey(object.metadata);
    const kept = resource.keep(object, items.get(key));
    if (kept === null) into.delete(key);
    else into.set(key, kept);
  };

  /** What is no longer there is forgotten. */
  const list = async (): Promise<string | null> => {
    const found = new Map<string, Kept>();
    const listed = await listPages<Source>(kubernetes, resource, signal, (object) => keep(object, found));
    items.clear();
    for (const [key, kept] of found) items.set(key, kept);
    return listed;
  };

  const apply = (event: WatchEvent<Source>): void => {
    if (event.type === 'ERROR') throw new WatchEnded(event.object.code ?? 500, event.object.message ?? 'watch error');
    if (event.type === 'DELETED') items.delete(objectKey(event.object.metadata));
    else if (event.type !== 'BOOKMARK') keep(event.object, items);
    version = event.object.metadata.resourceVersion ?? version;
  };

  /** With jitter. */
  const pause = (seconds: number): Promise<void> =>
    sleep(seconds * (0.5 + random() / 2) * 1000, undefined, { signal }).catch(() => {});

  const run = async (): Promise<void> => {
    let failures = 0;
    const progressed = () => {
      failures = 0;
      problem = null;
    };
    while (!signal.aborted) {
      try {
        version ??= await list();
        synced = true;
        if (version === null) {
          progressed();
          await sleep(60_000, undefined, { signal });
        } else {
          const began = performance.now();
          for await (const event of watchedFrom<Source>(kubernetes, resource, version, timing, signal, progressed)) apply(event);
          // A proxy that ends each watch at once is not asked in a tight loop.
          if (performance.now() - began < timing.pauseSeconds * 1000) await pause(timing.pauseSeconds);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof WatchEnded && (error.status === 410 || error.status === 404)) version = null;
        else problem = isForbidden(error) ? messageOf(error) : `${kindOf(resource)}: ${messageOf(error)}`;
        failures += 1;
        await pause(Math.min(timing.pauseSeconds * 2 ** (failures - 1), timing.longestPauseSeconds));
      }
    }
  };
  void run();
  return { items, synced: () => synced, problem: () => problem, stop: () => stopped.abort() };
};

/** What a request for a kind needs to know of it. */
type Asked = Pick<Resource<never, unknown>, 'path' | 'name' | 'optional' | 'givenIn'>;

/** As RBAC names it: `deployments`. */
const kindOf = ({ path }: Asked): string => path.split('/').at(-1)!;

const selectorOf = ({ name }: Asked): string => (name === undefined ? '' : `fieldSelector=metadata.name%3D${name}&`);

/** Tells of every object, page by page. Returns the version to watch from, null where the kind is unknown. */
const listPages = async <Source>(
  kubernetes: Kubernetes,
  asked: Asked,
  signal: AbortSignal,
  tell: (object: Source) => void,
): Promise<string | null> => {
  let [token, listed] = ['', ''];
  do {
    const query = `${selectorOf(asked)}limit=${pageSize}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
    const { status, body } = await kubernetes.request('GET', `${asked.path}?${query}`, undefined, signal);
    if (status === 404 && asked.optional === true) return null;
    if (status !== 200) throw refused('list', asked, status, body);
    const page = body as { metadata: { resourceVersion: string; continue?: string }; items: Source[] };
    for (const object of page.items) tell(object);
    token = page.metadata.continue ?? '';
    listed = page.metadata.resourceVersion;
  } while (token !== '');
  return listed;
};

/** What changes from a version on, until the server ends the watch. */
async function* watchedFrom<Source>(
  kubernetes: Kubernetes,
  asked: Asked,
  version: string,
  { watchSeconds, graceSeconds }: ReflectorTiming,
  stopped: AbortSignal,
  progressed: () => void,
): AsyncGenerator<WatchEvent<Source>> {
  const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${watchSeconds}&resourceVersion=${version}`;
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new Error(`the watch of ${asked.path} has died without a word`)),
    (watchSeconds + graceSeconds) * 1000,
  );
  const signal = AbortSignal.any([stopped, deadline.signal]);
  try {
    const response = await kubernetes.stream(`${asked.path}?${selectorOf(asked)}${query}`, signal);
    if (response.statusCode !== 200)
      throw refused('watch', asked, response.statusCode ?? 0, jsonOrText(await firstText(response)));
    progressed();
    for await (const line of lines(response)) yield JSON.parse(line) as WatchEvent<Source>;
  } catch (error) {
    throw deadline.signal.aborted ? deadline.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

const refused = (verb: string, asked: Asked, status: number, body: unknown): Error =>
  status === 403
    ? forbidden(verb, kindOf(asked), asked.givenIn ?? 'ClusterRole gpumix in manifests/', statusMessage(status, body))
    : new WatchEnded(status, statusMessage(status, body));

/**
 * Several reflectors, by the name of their kind for messages.
 * @param needed whether a kind that has not been read yet is waited for
 */
export const allOf = (
  reflectors: Readonly<Record<string, Reflector<unknown>>>,
  needed: (kind: Reflector<unknown>) => boolean = () => true,
) => {
  const all = Object.entries(reflectors);
  return {
    unsynced: (): readonly string[] =>
      all.flatMap(([name, kind]) => (kind.synced() || !needed(kind) ? [] : [kind.problem() ?? `${name} have not been read yet`])),
    problems: (): readonly string[] => all.flatMap(([, kind]) => kind.problem() ?? []),
    stop: (): void => {
      for (const [, kind] of all) kind.stop();
    },
  };
};

type WatchEvent<Source> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; readonly object: Source }
  | { readonly type: 'ERROR'; readonly object: { readonly code?: number; readonly message?: string } };

/** The server ended a list or a watch with a status. */
class WatchEnded extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const statusMessage = (status: number, body: unknown): string => {
  const message = String(isObject(body) && 'message' in body ? body['message'] : (body ?? ''));
  return `${status} ${message.slice(0, 300)}`.trim();
};

const isForbidden = (error: unknown): boolean => error instanceof GpumixError && error.code === 'FORBIDDEN';

const firstText = async (response: IncomingMessage): Promise<string> => {
  for await (const chunk of response) return String(chunk);
  return '';
};

async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding('utf8');
  let rest = '';
  for await (const chunk of response) {
    rest += chunk as string;
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
}
