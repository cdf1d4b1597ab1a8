import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** `/metrics`, `/livez` and `/readyz`, on a port that clients do not see. @param notReady why; null = ready */
export const startAdminServer = async (
  registry: Registry,
  notReady: () => string | null,
  host: string,
  port: number,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> => {
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0];
    if (path === '/metrics') {
      response.setHeader('content-type', registry.contentType);
      response.end(await registry.metrics());
    } else if (path === '/livez') response.end('ok\n');
    else if (path === '/readyz') {
      const why = notReady();
      response.writeHead(why === null ? 200 : 503).end(`${why ?? 'ok'}\n`);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
};
