import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

/** Servers that stand in for an endpoint, gone after the test. */
export const standIns = () => {
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  };
  afterEach(close);
  const standIn = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return {
    standIn,
    close,
    /** Lists one model and answers requests for text in its own way. */
    answering: (answer: RequestListener): Promise<string> =>
      standIn((request, response) => {
        if (request.url === '/v1/models') response.end('{"data": [{"id": "m"}]}');
        else answer(request, response);
      }),
  };
};
