import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Target } from '../domain.ts';
import type { Board } from './board.ts';
import { standingCenti } from './metrics.ts';
import { json } from './representation.ts';

/**
 * `GET /metrics/NAMESPACE/DEPLOYMENT` in plain HTTP, as AIBrix's gpu-optimizer answers it, on a port of its own: for
 * PodAutoscalers that read an endpoint. They take an error for zero, so a Deployment that we know always has a value.
 */
export const startPlainMetrics = async (
  board: Board,
  host: string,
  port: number,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> => {
  const server = createServer((request, response) => {
    const { code, type, text } = answer(board, request);
    response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
  });
  server.maxHeadersCount = 100;
  server.headersTimeout = 10_000;
  server.maxConnections = 200;
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  const { port: chosen } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${chosen}`, close };
};

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}
const refusal = (code: number, error: string): Answer => ({
  code,
  type: 'application/json',
  text: json({ error }, false),
});

const answer = (board: Board, { method, url = '' }: IncomingMessage): Answer => {
  const [, namespace = '', deployment = ''] = /^\/metrics\/([^/?]+)\/([^/?]+)(?:\?|$)/.exec(url) ?? [];
  if (method !== 'GET') return refusal(405, 'only GET is allowed');
  const target = board.target(namespace, deployment);
  if (target === undefined) return refusal(404, 'no model is served by that Deployment');
  return { code: 200, type: 'text/plain; charset=utf-8', text: exposition(target) };
};

const exposition = (target: Target): string => {
  const model = target.labels['model.aibrix.ai/name'] ?? target.deployment;
  return [
    '# HELP vllm:deployment_replicas Half a replica below the number that gpumix plans, in hundredths.',
    '# TYPE vllm:deployment_replicas gauge',
    `vllm:deployment_replicas{model_name=${JSON.stringify(model)}} ${standingCenti(target).value}`,
    '',
  ].join('\n');
};
