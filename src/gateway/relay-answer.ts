import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { jsonObject } from '../formats/json.ts';
import { passedOn } from './passed-headers.ts';
import type { AnswerReader } from './pod-connections.ts';
import { responseId, tellsOfError, type Usage, usageOf } from './usage-and-errors.ts';
import { type UsageFilter, usageFilter } from './usage-filter.ts';

export interface RelayOptions {
  /** Whether usage counts are to be taken out of the stream. */
  readonly strip: boolean;
  /** Whether an answer of this status is for the client; else another pod is asked. */
  readonly forClient: (status: number) => boolean;
  readonly onFirstByte: () => void;
  /** Whether a stream must come to its own last event; else its counts will do. */
  readonly typed?: boolean;
  /** The answer is a response that its engine may keep. */
  readonly onResponse?: (id: string) => void;
}

/** One answer on its way to the client. */
export interface Relay extends AnswerReader {
  /** Status of the pod's answer; null = there was none. */
  status(): number | null;
  /** Whether the answer is not for the client: another pod is to be asked. */
  declined(): boolean;
  /** Whether the client has seen anything of it. */
  started(): boolean;
  /** The pod has said everything: sends the rest, and tells what the answer said of its size. */
  finish(): Finished;
}

/** What a whole answer has told. */
export interface Finished {
  readonly usage: Usage | null;
  readonly contentEvents: number;
  /** It told of an error, or it is a stream that ended neither with its last event nor with its usage counts. */
  readonly failed: boolean;
}

/** An answer longer than this (bytes) is passed on without being read. */
const longestRead = 8 << 20;

/**
 * Passes an answer on as it comes, no faster than the client reads it. Nothing is sent before the first piece of the body
 * is there, so that until then another pod can answer.
 */
export const relay = (response: ServerResponse, options: RelayOptions): Relay => {
  const { strip, forClient, onFirstByte, typed = false, onResponse = () => {} } = options;
  let head: { readonly status: number; readonly headers: IncomingHttpHeaders } | null = null;
  let filter: UsageFilter | null = null;
  let [started, declined] = [false, false];
  const read: Buffer[] = [];
  let readBytes = 0;
  const begin = (): void => {
    if (started || head === null) return;
    started = true;
    onFirstByte();
    const { status, headers } = head;
    const length = filter === null ? headers['content-length'] : undefined;
    response.writeHead(status, { ...passedOn(headers), ...(length === undefined ? {} : { 'content-length': length }) });
  };
  return {
    head: (status, headers) => {
      head = { status, headers };
      declined = !forClient(status);
      if (declined) return false;
      if (String(headers['content-type'] ?? '').startsWith('text/event-stream')) filter = usageFilter(strip, onResponse);
      return true;
    },
    piece: (piece) => {
      if (response.destroyed) return true;
      if (filter === null && readBytes + piece.length <= longestRead) read.push(piece);
      readBytes += piece.length;
      const passed = filter === null ? piece : filter.take(piece);
      begin();
      return passed.length === 0 || response.write(passed);
    },
    status: () => head?.status ?? null,
    declined: () => declined,
    started: () => started,
    finish: () => {
      begin();
      if (filter === null) {
        response.end();
        const answer = readBytes > longestRead ? null : jsonObject(Buffer.concat(read).toString());
        const id = responseId(answer);
        if (id !== null) onResponse(id);
        return { usage: usageOf(answer?.['usage']), contentEvents: 0, failed: tellsOfError(answer) };
      }
      const rest = filter.rest();
      if (rest.length > 0) response.end(rest);
      else response.end();
      const usage = filter.usage();
      const isCut = !filter.done() && (typed || usage === null);
      return { usage, contentEvents: filter.contentEvents(), failed: filter.failed() || isCut };
    },
  };
};
