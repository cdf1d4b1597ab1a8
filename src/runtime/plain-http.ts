import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { listening } from './listen.ts';
import { unusedConnections } from './unused-connections.ts';

export interface PlainAnswer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}
export interface PlainServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** A few texts over plain HTTP, for those inside the cluster. `port` 0: any free one. */
export const startPlainHttp = async (
  answer: (request: IncomingMessage) => Promise<PlainAnswer>,
  host: string,
  port: number,
): Promise<PlainServer> => {
  const server = createServer(async (request, response) => {
    const { code, type, text } = await answer(request);
    response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
  });
  const closeUnused = unusedConnections(server);
  server.maxHeadersCount = 100;
  server.headersTimeout = 10_000;
  server.maxConnections = 200;
  const listen = () => new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  await listening(host, port, listen);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
      closeUnused();
      setTimeout(() => server.closeAllConnections(), 1_000).unref(); // whoever does not read holds nobody up
    });
  return { url: `http://${hostAndPort(host, (server.address() as AddressInfo).port)}`, close };
};

/** Host and port as a URL names them. */
export const hostAndPort = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;
