import type { Server } from 'node:http';
import type { Http2Session } from 'node:http2';
import type { Socket } from 'node:net';

/** Returns what closes the connections on which nothing was ever asked: a server that ends would wait for them. */
export const unusedConnections = (server: Server): (() => void) => {
  const unused = new Map<string, Socket>();
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    unused.set(peer, socket);
    socket.once('close', () => unused.delete(peer));
  });
  server.on('request', (request: Requested) => unused.delete(peerOf(connectionOf(request))));
  return () => {
    for (const socket of unused.values()) socket.destroy();
  };
};

interface Requested {
  readonly socket: Socket;
  readonly stream?: { readonly session?: Http2Session };
}

/** The socket that a request came by; of HTTP/2 that of its session. */
export const connectionOf = ({ socket, stream }: Requested): Socket => stream?.session?.socket ?? socket;

/** The encrypted socket and the one below it share this. */
export const peerOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${remoteAddress} ${remotePort}`;
