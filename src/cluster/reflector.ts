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
  /** As RBAC names it: `deployments`. */
  const kind = resource.path.split('/').at(-1)!;
  const selector = resource.name === undefined ? '' : `fieldSelector=metadata.name%3D${resource.name}&`;
  /** The version reached; null = list first. */
  let version: string | null = null;
  let synced = false;
  let problem: string | null = null;

  const refused = (verb: string, status: number, body: unknown): Error =>
    status === 403
      ? forbidden(verb, kind, resource.givenIn ?? 'ClusterRole gpumix in manifests/', statusMessage(status, body))
      : new WatchEnded(status, statusMessage(status, body));

  const keep = (object: Source, into: Map<string, Kept>): void => {
    const key = objectKey(object.metadata);
    const kept = resource.keep(object, items.get(key));
    if (kept === null) into.delete(key);
    else into.set(key, kept);
  };

  /** Reads all pages; what is no longer there is forgotten. Returns the version to watch from, null where the kind is unknown. */
  const list = async (): Promise<string | null> => {
    const found = new Map<string, Kept>();
    let [token, listed] = ['', ''];
    do {
      const query = `${selector}limit=${pageSize}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
      const { status, body } = await kubernetes.request('GET', `${resource.path}?${query}`, undefined, stopped.signal);
      if (status === 404 && resource.optional === true) {
        items.clear();
        return null;
      }
      if (status !== 200) throw refused('list', status, body);
      const page = body as { metadata: { resourceVersion: string; continue?: string }; items: Source[] };
      for (const object of page.items) keep(object, found);
      token = page.metadata.continue ?? '';
      listed = page.metadata.resourceVersion;
    } while (token !== '');
    items.clear();
    for (const [key, kept] of found) items.set(key, kept);
    return listed;
  };

  const apply = (event: WatchEvent<Source>): void => {
    if (event.type === 'ERROR') throw new WatchEnded(event.object.code ?? 500, event.object.message ?? 'watch error');
    if (event.type === 'DELETED') items.delete(objectKey(event.object.metadata));
    else if (event.type !== 'BOOKMARK') keep(event.object, items);
  };

  /** Follows changes from `version` on until the server ends the watch. */
  const watch = async (progressed: () => void): Promise<void> => {
    const query = `watch=1&allowWatchBookmarks=true&timeoutSeconds=${timing.watchSeconds}&resourceVersion=${version}`;
    const deadline = new AbortController();
    const timer = setTimeout(
      () => deadline.abort(new Error(`the watch of ${resource.path} has died without a word`)),
      (timing.watchSeconds + timing.graceSeconds) * 1000,
    );
    const signal = AbortSignal.any([stopped.signal, deadline.signal]);
    try {
      const response = await kubernetes.stream(`${resource.path}?${selector}${query}`, signal);
      if (response.statusCode !== 200) {
        throw refused('watch', response.statusCode ?? 0, jsonOrText(await firstText(response)));
      }
      progressed();
      for await (const line of lines(response)) {
        const event = JSON.parse(line) as WatchEvent<Source>;
        apply(event);
        if (event.type !== 'ERROR') version = event.object.metadata.resourceVersion ?? version;
      }
    } catch (error) {
      throw deadline.signal.aborted ? deadline.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  };

  /** With jitter. */
  const pause = (seconds: number): Promise<void> =>
    sleep(seconds * (0.5 + random() / 2) * 1000, undefined, { signal: stopped.signal }).catch(() => {});

  const run = async (): Promise<void> => {
    let failures = 0;
    const progressed = () => {
      failures = 0;
      problem = null;
    };
    while (!stopped.signal.aborted) {
      try {
        version ??= await list();
        synced = true;
        if (version === null) {
          progressed();
          await sleep(60_000, undefined, { signal: stopped.signal });
        } else {
          const began = performance.now();
          await watch(progressed);
          // A proxy that ends each watch at once is not asked in a tight loop.
          if (performance.now() - began < timing.pauseSeconds * 1000) await pause(timing.pauseSeconds);
        }
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (error instanceof WatchEnded && (error.status === 410 || error.status === 404)) version = null;
        else problem = isForbidden(error) ? messageOf(error) : `${kind}: ${messageOf(error)}`;
        failures += 1;
        await pause(Math.min(timing.pauseSeconds * 2 ** (failures - 1), timing.longestPauseSeconds));
      }
    }
  };
  void run();
  return { items, synced: () => synced, problem: () => problem, stop: () => stopped.abort() };
};

/**
 * Several reflectors, by the name of their kind for messages.
 * @param needed whether a kind that has not been read yet is waited for
 */
export const allOf = (
  reflectors: Readonly<Record<string, Reflector<unknown>>>,
  needed: (one: Reflector<unknown>) => boolean = () => true,
) => {
  const all = Object.entries(reflectors);
  return {
    unsynced: (): readonly string[] =>
      all.flatMap(([name, one]) => (one.synced() || !needed(one) ? [] : [one.problem() ?? `${name} have not been read yet`])),
    problems: (): readonly string[] => all.flatMap(([, one]) => one.problem() ?? []),
    stop: (): void => {
      for (const [, one] of all) one.stop();
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
