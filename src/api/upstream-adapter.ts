import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { messageOf } from '../vocabulary/errors.ts';
import type { ResourceEntry } from './api-group.ts';
import { polling, type RequestLog } from './log.ts';
import { unavailable } from './status.ts';

/** Another metrics adapter, behind us: it keeps serving what is not ours, to everybody whom the cluster allows. */
export interface Upstream {
  /** What it lists for a version of an API group; what it listed last while it is away. */
  readonly resources: (group: string, version: string) => readonly ResourceEntry[];
  /** Its answer to a path, unchanged. Throws a 503 when there is none. */
  readonly pass: (target: string, headers: IncomingHttpHeaders) => Promise<PassedAnswer>;
  readonly stop: () => void;
}

export interface PassedAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface UpstreamOptions {
  /** `https://prometheus-adapter.monitoring.svc:443` */
  readonly url: string;
  /** Name of its Service, for messages. */
  readonly name: string;
  /** PEM; null: the system's authorities. */
  readonly ca: string | null;
  /** Our ServiceAccount's token: it asks in our name, after we have authorized the caller. */
  readonly token: () => Promise<string>;
  /** `group/version` of what it may serve. */
  readonly groupVersions: readonly string[];
  readonly log: RequestLog;
  readonly pollMilliseconds?: number;
}

const answerMilliseconds = 30_000;
/** What the answer depends on, and nothing that says who asked. */
const passedOn = ['accept', 'accept-encoding', 'user-agent'] as const;

export const upstreamAdapter = ({ log, ...options }: UpstreamOptions): Upstream => {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const known = new Map<string, readonly ResourceEntry[]>();

  const ask = async (target: string, headers: Readonly<Record<string, string>>): Promise<PassedAnswer> => {
    const authorization = `Bearer ${await options.token()}`;
    const tls = options.ca === null ? {} : { ca: options.ca };
    return answerOf(`${options.url}${target}`, { agent, ...tls, headers: { ...headers, authorization } });
  };
  const list = async (groupVersion: string): Promise<void> => {
    const { status, body } = await ask(`/apis/${groupVersion}`, { accept: 'application/json' });
    if (status === 404) known.set(groupVersion, []);
    else if (status !== 200) throw new Error(`it answered ${status}`);
    else known.set(groupVersion, (JSON.parse(body.toString()) as { resources: ResourceEntry[] }).resources);
  };
  const listAll = async (): Promise<void> => {
    for (const groupVersion of options.groupVersions) await list(groupVersion);
  };
  const sayProblem = (problem: string) => log.warn({ upstream: options.name, problem }, 'upstream not listed');
  const listing = polling(listAll, options.pollMilliseconds ?? 15_000, sayProblem, { atOnce: true });
  return {
    resources: (group, version) => known.get(`${group}/${version}`) ?? [],
    pass: async (target, { ...headers }) => {
      const chosen = passedOn.flatMap((name) => (headers[name] === undefined ? [] : [[name, String(headers[name])]]));
      try {
        return await ask(target, Object.fromEntries(chosen));
      } catch (error) {
        log.warn({ upstream: options.name, problem: messageOf(error) }, 'upstream did not answer');
        throw unavailable(`the upstream metrics adapter ${options.name} does not answer`);
      }
    },
    stop: () => {
      listing.stop();
      agent.destroy();
    },
  };
};

const answerOf = (url: string, options: RequestOptions): Promise<PassedAnswer> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(answerMilliseconds);
    const sent = request(url, { ...options, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 502, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    sent.on('error', reject).end();
  });
