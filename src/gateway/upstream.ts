import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { Agent } from 'undici';
import { messageOf } from '../errors.ts';

/** What a pod answered: its head, and a body still to be read. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface Upstream {
  /** @returns the answer's head; or in one line why there is none */
  ask(
    origin: string,
    path: string,
    headers: Record<string, string | string[]>,
    body: string,
    signal: AbortSignal,
  ): Promise<UpstreamAnswer | string>;
  close(): Promise<void>;
}

export interface UpstreamSettings {
  readonly connectSeconds: number;
  /** Longest silence before the head of an answer, and within its body (s). */
  readonly silenceSeconds: number;
}

/** A connection that was kept open may have been closed by the other side just as we use it. */
const closedMeanwhile = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export const upstream = ({ connectSeconds, silenceSeconds }: UpstreamSettings): Upstream => {
  const agent = new Agent({
    connect: { timeout: connectSeconds * 1000 },
    headersTimeout: silenceSeconds * 1000,
    bodyTimeout: silenceSeconds * 1000,
    keepAliveTimeout: 4_000,
    connections: null,
    pipelining: 1,
  });
  const once = async (
    origin: string,
    path: string,
    headers: Record<string, string | string[]>,
    body: string,
    signal: AbortSignal,
  ): Promise<UpstreamAnswer> => {
    const answer = await agent.request({ origin, path, method: 'POST', headers, body, signal });
    return { status: answer.statusCode, headers: answer.headers, body: answer.body };
  };
  return {
    ask: async (origin, path, headers, body, signal) => {
      for (let again = true; ; again = false) {
        try {
          return await once(origin, path, headers, body, signal);
        } catch (error) {
          const { code } = error as { code?: string };
          if (again && closedMeanwhile.has(code ?? '') && !signal.aborted) continue;
          return messageOf(error);
        }
      }
    },
    close: () => agent.destroy(),
  };
};
