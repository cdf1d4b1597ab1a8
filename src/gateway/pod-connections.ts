import type { IncomingHttpHeaders } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { messageOf } from '../vocabulary/errors.ts';

/** Takes an answer as it comes. */
export interface AnswerReader {
  /** Its head. @returns whether its body is wanted */
  head(status: number, headers: IncomingHttpHeaders): boolean;
  /** A piece of its body. @returns whether more may come now; else {@link AskingPod.resume} says when */
  piece(piece: Buffer): boolean;
}

export interface AskingPod {
  /** null = the answer has come to its end, or was not wanted; else in one line why it has not. */
  readonly ended: Promise<string | null>;
  resume(): void;
  abort(): void;
}

export interface PodRequest {
  readonly origin: string;
  readonly path: string;
  readonly headers: Record<string, string | string[]>;
  readonly body: string | Buffer | null;
  /** POST where it is not named. */
  readonly method?: string;
}

export interface PodConnections {
  ask(request: PodRequest, reader: AnswerReader): AskingPod;
  close(): Promise<void>;
}

export interface PodConnectionSettings {
  readonly connectSeconds: number;
  /** Longest silence before the head of an answer, and within its body (s). */
  readonly silenceSeconds: number;
}

/** A connection that was kept open may have been closed by the other side just as we use it. */
const closedMeanwhile = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);
const notWanted = new Error('the answer is not wanted');

/** Pods over kept connections. Answers are handed on piece by piece without a stream of their own: that is half the work. */
export const podConnections = ({ connectSeconds, silenceSeconds }: PodConnectionSettings): PodConnections => {
  const agent = new Agent({
    connect: { timeout: connectSeconds * 1000 },
    headersTimeout: silenceSeconds * 1000,
    bodyTimeout: silenceSeconds * 1000,
    keepAliveTimeout: 4_000,
    connections: null,
    pipelining: 1,
  });
  return {
    ask: (request, reader) => {
      let controller: Dispatcher.DispatchController | null = null;
      let [aborted, headSeen] = [false, false];
      const ended = new Promise<string | null>((resolve) => {
        const send = (again: boolean): void => {
          agent.dispatch(
            { ...request, method: (request.method ?? 'POST') as Dispatcher.HttpMethod },
            {
              onRequestStart: (started) => {
                controller = started;
                if (aborted) started.abort(notWanted);
              },
              onResponseStart: (asking, status, headers) => {
                headSeen = true;
                if (!reader.head(status, headers)) asking.abort(notWanted);
              },
              onResponseData: (asking, piece) => {
                if (!reader.piece(piece)) asking.pause();
              },
              onResponseEnd: () => resolve(null),
              onResponseError: (_, error) => {
                const { code } = error as { code?: string };
                if (error === notWanted) resolve(null);
                else if (again && !headSeen && !aborted && closedMeanwhile.has(code ?? '')) send(false);
                else resolve(messageOf(error));
              },
            },
          );
        };
        send(true);
      });
      return {
        ended,
        resume: () => controller?.resume(),
        abort: () => {
          aborted = true;
          controller?.abort(notWanted);
        },
      };
    },
    close: () => agent.destroy(),
  };
};
