import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningServer, startServer } from '../../src/api/start.ts';
import { asUser, fakeKubernetes, metricPath, servingCA, servingPair } from '../helpers/api-server.ts';
import { decided, fakeBoard } from '../helpers/fake-board.ts';
import { httpsClient } from '../helpers/https-client.ts';

const servername = 'gpumix.gpumix-system.svc';
const web = metricPath('v1beta2', 'web');
let server: RunningServer;
const ask = httpsClient(
  () => server.url,
  () => servingCA.certificate,
  servername,
);

const options = () => {
  const board = fakeBoard();
  board.set(decided('default', 'web', 4));
  const pair = servingPair();
  return {
    board,
    kubernetes: fakeKubernetes().request,
    certificate: { current: () => pair, problem: () => undefined, onChange: () => {}, stop: () => {} },
    version: '0.0.0',
    log: { info: () => {}, warn: () => {}, error: () => {} },
    host: '127.0.0.1',
    port: 0,
    readyChecks: [],
  };
};
beforeAll(async () => {
  const connectionLimits = { connections: 30, headerMilliseconds: 300, idleMilliseconds: 60_000 };
  server = await startServer({ ...options(), connectionLimits });
});
afterAll(() => server.drain(0));

const port = () => Number(new URL(server.url).port);
const secureSocket = async (protocol = 'http/1.1', at = port()): Promise<TLSSocket> => {
  const socket = connect({
    port: at,
    host: '127.0.0.1',
    ca: servingCA.certificate,
    servername,
    ALPNProtocols: [protocol],
  });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  socket.on('error', () => {});
  return socket;
};
const wholeAnswer = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
  });
const stillOpen = (sockets: readonly Socket[]): number => sockets.filter((socket) => !socket.closed).length;
const patience = { timeout: 100_000 };
const statusOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

test('headers that trickle in are cut off', async () => {
  const socket = await secureSocket();
  socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n');
  const trickle = setInterval(() => socket.write('X-A: b\r\n'), 50);
  const answer = await wholeAnswer(socket);
  clearInterval(trickle);
  expect(statusOf(answer)).toMatchObject({ kind: 'Status', code: 408 });
});

test('headers of 1 MiB are refused, of 100 KiB are not', async () => {
  const socket = await secureSocket();
  socket.write(`GET /readyz HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(1024 * 1024)}\r\n\r\n`);
  expect(statusOf(await wholeAnswer(socket))).toMatchObject({ kind: 'Status', code: 431 });
  expect((await ask('/readyz', { headers: { 'x-large': 'x'.repeat(100_000) } })).code).toBe(200);
});

test('what is not HTTP gets a Status', async () => {
  const socket = await secureSocket();
  socket.write('nonsense\r\n\r\n');
  expect(statusOf(await wholeAnswer(socket))).toMatchObject({ kind: 'Status', code: 400, reason: 'BadRequest' });
});

test('idle connections beyond the limit give way to new ones, the busy one stays', async () => {
  const busy = await secureSocket();
  const idle: Socket[] = [];
  for (let index = 0; index < 100; index += 1) {
    const socket = connectPlain(port(), '127.0.0.1');
    socket.on('error', () => {}).resume();
    idle.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    if (index % 10 === 0) {
      const answered = new Promise((resolve) => busy.once('data', resolve));
      busy.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
      await answered;
    }
  }
  await expect.poll(() => stillOpen(idle), patience).toBeLessThanOrEqual(30);
  expect(busy.destroyed).toBe(false);
  expect((await ask(web, asUser('hpa'))).code).toBe(200);
  for (const socket of idle) socket.destroy();
  busy.destroy();
});

test('10,000 idle connections, every tenth with a handshake: a few stay, and the memory of them', async () => {
  const before = process.memoryUsage().rss;
  const wave = async (): Promise<void> => {
    const opened = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const secure = index % 10 === 0 ? await secureSocket().catch(() => null) : null;
        const socket = secure ?? connectPlain(port(), '127.0.0.1');
        // Who does not read does not see the other side hang up.
        socket.on('error', () => {}).resume();
        if (secure === null) await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
        return socket;
      }),
    );
    open.push(...opened);
  };
  const open: Socket[] = [];
  for (let wavesLeft = 100; wavesLeft > 0; wavesLeft -= 1) await wave();
  expect(open).toHaveLength(10_000);
  await expect.poll(() => stillOpen(open), patience).toBeLessThanOrEqual(30);
  expect((await ask(web, asUser('hpa'))).code).toBe(200);
  for (const socket of open) socket.destroy();
  // Both ends are in this process.
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(200);
});

test('a body on GET, however large, is not read', async () => {
  const socket = await secureSocket();
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n');
  expect(await wholeAnswer(socket)).toMatch(/^HTTP\/1.1 200 /);
});

// The handshake's own limit is 32 s.
test('a server that ends does not wait for those who never asked', { timeout: 30_000 }, async () => {
  const ending = await startServer(options());
  const at = Number(new URL(ending.url).port);
  const plain = connectPlain(at, '127.0.0.1').on('error', () => {});
  await new Promise((resolve) => plain.once('connect', resolve));
  const silent = await secureSocket('http/1.1', at);
  await Promise.all([ending.drain(0), ...[plain, silent].map((socket) => new Promise((end) => socket.once('close', end)))]);
});

test('kept alive longer than Go clients keep idle connections', async () => {
  expect((await ask('/livez', { headers: { connection: 'keep-alive' } })).headers['keep-alive']).toBe('timeout=60');
});
