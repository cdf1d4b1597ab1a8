import type { IncomingMessage } from 'node:http';
import { type PlainAnswer, type PlainServer, startPlainHttp } from '../runtime/plain-http.ts';
import { messageOf } from '../vocabulary/errors.ts';
import type { Target } from '../vocabulary/target.ts';
import type { ReadableBoard } from './api-group.ts';
import { standingCenti } from './metrics.ts';
import { json } from './representation.ts';

/** The routing plan of a model as routers read it; null = there is none. */
export type ReadRoutingPlan = (model: string) => Promise<string | null>;

/**
 * Plain HTTP on a port of its own: `GET /metrics/NAMESPACE/DEPLOYMENT`, as AIBrix's gpu-optimizer answers it, for
 * PodAutoscalers that read an endpoint. Some take an error for zero, so a Deployment that we know always has a value. AIBrix
 * reads it up to v0.4.1, and again in releases that mend its issue 2615; v0.5.0 to v0.7.0 do not read it, and take it for 0.
 * And `GET /routing/MODEL`, for routers that have no Redis.
 */
export const startPlainMetrics = (
  board: ReadableBoard,
  host: string,
  port: number,
  readRoutingPlan: ReadRoutingPlan,
): Promise<PlainServer> => startPlainHttp((request) => answer(board, readRoutingPlan, request), host, port);

const refusal = (code: number, error: string): PlainAnswer => ({
  code,
  type: 'application/json',
  text: json({ error }, false),
});

const answer = async (
  board: ReadableBoard,
  readRoutingPlan: ReadRoutingPlan,
  { method, url = '' }: IncomingMessage,
): Promise<PlainAnswer> => {
  const [, namespace = '', deployment = ''] = /^\/metrics\/([^/?]+)\/([^/?]+)(?:\?|$)/.exec(url) ?? [];
  if (method !== 'GET') return refusal(405, 'only GET is allowed');
  const [, model] = /^\/routing\/([^/?]+)(?:\?|$)/.exec(url) ?? [];
  if (model !== undefined) return await routingPlan(model, readRoutingPlan);
  const target = board.target(namespace, deployment);
  if (target === undefined) return refusal(404, 'no model is served by that Deployment');
  return { code: 200, type: 'text/plain; charset=utf-8', text: exposition(target) };
};

const routingPlan = async (encoded: string, read: ReadRoutingPlan): Promise<PlainAnswer> => {
  try {
    const plan = await read(decodeURIComponent(encoded));
    return plan === null
      ? refusal(404, 'there is no routing plan for that model (see --routing-plans)')
      : { code: 200, type: 'application/json', text: plan };
  } catch (error) {
    if (error instanceof URIError) return refusal(400, 'the name of the model is not percent-encoded');
    return refusal(503, messageOf(error));
  }
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
