import type { Registry } from 'prom-client';
import { type PlainServer, startPlainHttp } from '../runtime/plain-http.ts';

const text = 'text/plain; charset=utf-8';

/** `/metrics`, `/livez` and `/readyz`, on a port that clients do not see. @param notReady why; null = ready */
export const startAdminServer = (
  registry: Registry,
  notReady: () => string | null,
  host: string,
  port: number,
): Promise<PlainServer> =>
  startPlainHttp(
    async ({ url }) => {
      const path = url?.split('?')[0];
      if (path === '/metrics') return { code: 200, type: registry.contentType, text: await registry.metrics() };
      if (path === '/livez') return { code: 200, type: text, text: 'ok\n' };
      if (path !== '/readyz') return { code: 404, type: text, text: '' };
      const why = notReady();
      return { code: why === null ? 200 : 503, type: text, text: `${why ?? 'ok'}\n` };
    },
    host,
    port,
  );
