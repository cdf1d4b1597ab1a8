import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gatewayMetrics } from '../../src/gateway/gateway-metrics.ts';
import type { GatewaySettings } from '../../src/gateway/gateway-parts.ts';
import { createModelPods } from '../../src/gateway/model-pods.ts';
import { startGatewayServer } from '../../src/gateway/openai-server.ts';
import { podConnections } from '../../src/gateway/pod-connections.ts';
import { createGateway, type Gateway } from '../../src/gateway/proxy.ts';
import type { RoutingPlan } from '../../src/vocabulary/routing-plan.ts';
import { requestCounts } from '../../src/workload/request-counts.ts';
import { wholeInterval } from './records.ts';

/** A pod that answers as the test says. */
export interface ScriptedPod {
  readonly origin: string;
  readonly seen: readonly {
    readonly url: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  answer: (response: ServerResponse, body: string, request: IncomingMessage) => void | Promise<void>;
  readonly server: Server;
  close(): Promise<void>;
}

export const jsonAnswer = (response: ServerResponse, text: string, status = 200): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(text);

export const completion = '{"choices":[{"text":"a"}],"usage":{"prompt_tokens":100,"completion_tokens":7}}';

export const scriptedPod = async (answer?: ScriptedPod['answer']): Promise<ScriptedPod> => {
  const seen: { url: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const server = createServer(async (incoming, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of incoming) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    seen.push({ url: incoming.url ?? '', headers: incoming.headers, body });
    await pod.answer(response, body, incoming);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const pod: ScriptedPod = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: answer ?? ((response) => jsonAnswer(response, completion)),
    server,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return pod;
};

const settings: GatewaySettings = {
  overflow: 1.5,
  serveLate: 0.1,
  mostRequests: 1000,
  heldRequests: 300,
  heldBytes: 1 << 20,
  heldSeconds: 20,
  attempts: 3,
  requestSeconds: 30,
};

/** A gateway with its server, before pods that the test sets. */
export const startTestGateway = async (
  more: Partial<GatewaySettings> = {},
  plan: RoutingPlan | null = null,
  silenceSeconds = 5,
) => {
  const modelPods = createModelPods();
  const counts = requestCounts(10);
  const podless: string[] = [];
  let unreachable: string | null = null;
  let gateway: Gateway;
  const metrics = gatewayMetrics({
    waiting: () => [{ model: 'm', requests: gateway.waiting('m'), queued: gateway.queued('m') }],
    pods: () => [],
    keptRecords: () => 0,
    missingGateways: () => 0,
    inFlight: () => gateway.inFlight(),
  });
  // Not less: beside busy neighbours this process, which also accepts, may stand still for a second.
  const pods = podConnections({ connectSeconds: 20, silenceSeconds });
  const world = {
    plan,
    asleep: podless,
    counts,
    metrics,
    modelPods,
    /** @param variants pods by variant */
    set: (variants: Readonly<Record<string, readonly (ScriptedPod | string)[]>>) => {
      const origins = Object.entries(variants).map(
        ([name, all]) => [name, all.map((pod) => (typeof pod === 'string' ? pod : pod.origin))] as const,
      );
      modelPods.update(new Map([['m', new Map(origins)]]));
      gateway.podsChanged();
    },
    /** @param why its Ready pods cannot be reached; null = they can */
    cutOff: (why: string | null) => {
      unreachable = why;
      gateway.podsChanged();
    },
    fields: () => counts.end(wholeInterval(10), [], () => 0).find(({ model }) => model === 'm')?.fields ?? {},
    close: async (seconds = 0) => {
      await server.close(seconds);
      await pods.close();
    },
    url: '',
    gateway: null as unknown as Gateway,
  };
  gateway = createGateway(
    {
      modelPods,
      plan: () => world.plan,
      connections: pods,
      counts,
      metrics,
      clock: () => performance.now() / 1000,
      unreachable: () => unreachable,
      onNoPods: (model) => podless.push(model),
    },
    { ...settings, ...more },
  );
  const server = await startGatewayServer({
    gateway,
    models: modelPods.models,
    host: '127.0.0.1',
    port: 0,
    mostBodyBytes: 1 << 20,
    mostConnections: 500,
  });
  world.url = server.url;
  world.gateway = gateway;
  return world;
};

export const ask = (url: string, body: object = {}, path = '/v1/completions', init: RequestInit = {}) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', prompt: 'x'.repeat(400), ...body }),
    ...init,
  });

/** Sends bytes as they are; what came back until the other side closed, or nothing more came. */
export const exchangeRaw = (url: string, text: string, quietMilliseconds = 300): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(text, 'latin1'));
    let received = '';
    const end = (): void => {
      socket.destroy();
      resolve(received);
    };
    let timer = setTimeout(end, 2_000);
    socket.on('data', (piece) => {
      received += piece.toString('latin1');
      clearTimeout(timer);
      timer = setTimeout(end, quietMilliseconds);
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(received);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? end() : reject(error)));
  });

/** A POST whose answer is read by hand. */
export const openRequest = (url: string, body: object): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const sending = request(`${url}/v1/completions`, { method: 'POST' }, resolve);
    sending.on('error', reject);
    sending.end(JSON.stringify({ model: 'm', prompt: 'hello', stream: true, ...body }));
  });
