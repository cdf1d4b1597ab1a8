import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import { gunzipSync } from 'node:zlib';

export interface Answer {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}
export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string | readonly string[]>;
  readonly cert?: string;
  readonly key?: string;
  readonly agent?: Agent;
  readonly content?: string;
}

/** Asks an HTTPS server whose certificate is checked against `ca` and `servername`, as the aggregator does. */
export const httpsClient =
  (url: () => string, ca: () => string, servername: string) =>
  (path: string, { content, ...options }: AskOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const tls = { ca: ca(), servername, agent: options.agent ?? (false as const) };
      const sent = request(`${url()}${path}`, { ...(options as object), ...tls }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const bytes = Buffer.concat(chunks);
          const text = (response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString();
          const json = response.headers['content-type']?.startsWith('application/json') && text !== '';
          const body = json ? JSON.parse(text) : undefined;
          resolve({ code: response.statusCode ?? 0, headers: response.headers, bytes, text, body });
        });
      });
      sent.on('error', reject);
      sent.end(content);
    });
