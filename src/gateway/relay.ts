import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { messageOf } from '../errors.ts';
import { passedOn } from './headers.ts';
import type { UpstreamAnswer } from './upstream.ts';
import { type Usage, usageFilter, usageOf } from './usage-filter.ts';

/** What became of an answer on its way to the client. */
export type Relayed =
  | { readonly outcome: 'served'; readonly usage: Usage | null; readonly contentEvents: number }
  /** The pod broke off; whether the client has seen anything of it. */
  | { readonly outcome: 'broken'; readonly started: boolean; readonly reason: string }
  | { readonly outcome: 'left' };

export interface RelayOptions {
  /** Whether usage counts are to be taken out of the stream. */
  readonly strip: boolean;
  readonly onFirstByte: () => void;
}

/** An answer longer than this (bytes) is passed on without being read. */
const longestRead = 8 << 20;

/**
 * Passes an answer on as it comes, no faster than the client reads it. Nothing is sent before the first piece of the body
 * is there, so that until then another pod can answer.
 */
export const relay = async (
  { status, headers, body }: UpstreamAnswer,
  response: ServerResponse,
  { strip, onFirstByte }: RelayOptions,
): Promise<Relayed> => {
  const events = String(headers['content-type'] ?? '').startsWith('text/event-stream');
  const filter = events ? usageFilter(strip) : null;
  const read: Buffer[] = [];
  let readBytes = 0;
  let started = false;
  const begin = (): void => {
    if (started) return;
    started = true;
    onFirstByte();
    const length = filter === null ? headers['content-length'] : undefined;
    response.writeHead(status, { ...passedOn(headers), ...(length === undefined ? {} : { 'content-length': length }) });
  };
  const send = async (piece: Buffer): Promise<void> => {
    begin();
    if (piece.length > 0 && !response.write(piece) && !response.destroyed) await drained(response);
  };
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      if (response.destroyed) return { outcome: 'left' };
      if (filter === null && readBytes + piece.length <= longestRead) read.push(piece);
      readBytes += piece.length;
      await send(filter === null ? piece : filter.take(piece));
    }
    if (filter !== null) await send(filter.rest());
    begin();
  } catch (error) {
    return response.destroyed ? { outcome: 'left' } : { outcome: 'broken', started, reason: messageOf(error) };
  }
  if (response.destroyed) return { outcome: 'left' };
  response.end();
  const usage = filter === null ? usageIn(readBytes > longestRead ? [] : read) : filter.usage();
  return { outcome: 'served', usage, contentEvents: filter?.contentEvents() ?? 0 };
};

/** Until the client has read on, or is gone. */
const drained = async (response: ServerResponse): Promise<void> => {
  const stop = new AbortController();
  try {
    await Promise.race([
      once(response, 'drain', { signal: stop.signal }),
      once(response, 'close', { signal: stop.signal }),
    ]);
  } finally {
    stop.abort();
  }
};

const usageIn = (pieces: readonly Buffer[]): Usage | null => {
  if (pieces.length === 0) return null;
  try {
    return usageOf((JSON.parse(Buffer.concat(pieces).toString()) as { usage?: unknown }).usage);
  } catch {
    return null;
  }
};
