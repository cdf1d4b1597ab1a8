import { connect, type TLSSocket } from 'node:tls';

/** HTTP/1.1 over a TLS socket by hand: cheap enough to load a server from the same machine, and as wrong as wanted. */

export interface Target {
  readonly port: number;
  readonly servername: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export const open = async ({ port, ...tls }: Target): Promise<TLSSocket> => {
  const socket = connect({ port, host: '127.0.0.1', ...tls });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.setNoDelay(true);
  return socket;
};

/** Sends one request and reads its whole answer: by Content-Length, or by chunks. */
export const exchange = (socket: TLSSocket, sent: Buffer): Promise<{ readonly head: string; readonly body: Buffer }> =>
  new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const done = () => {
      socket.off('data', onData).off('close', onClose);
      const end = received.indexOf('\r\n\r\n');
      resolve({ head: received.toString('latin1', 0, end), body: received.subarray(end + 4) });
    };
    const onData = (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = received.toString('latin1', 0, end);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
      const bodyless = sent.toString('latin1', 0, 5) === 'HEAD ' || head.startsWith('HTTP/1.1 304');
      const chunked = length === undefined && /\r\ntransfer-encoding: chunked/i.test(head);
      if (
        chunked
          ? received.toString('latin1', received.length - 5) === '0\r\n\r\n'
          : bodyless || received.length >= end + 4 + Number(length ?? 0)
      ) {
        done();
      }
    };
    const onClose = () => (received.length > 0 ? done() : reject(new Error('closed without an answer')));
    socket.on('data', onData).once('close', onClose);
    socket.write(sent);
  });
