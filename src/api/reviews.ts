import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesRequest } from '../cluster/kubernetes-connection.ts';
import { forbidden } from '../vocabulary/errors.ts';
import type { RequestLog } from './log.ts';

const attempts = 5;
const firstWaitMilliseconds = 500;
const attemptMilliseconds = 10_000;
const totalMilliseconds = 30_000;
const worthAnotherTry = new Set([429, 500, 502, 503, 504]);

/**
 * Asks again after a lost connection or a passing failure, as client-go's delegated authenticators do: five attempts of
 * at most 10 s, 0.5 s apart and growing by half, within 30 s. Throws when the last one failed.
 */
export const persistently =
  (request: KubernetesRequest): ((method: string, path: string, body: unknown) => ReturnType<KubernetesRequest>) =>
  async (method, path, body) => {
    const started = performance.now();
    for (let attempt = 1, wait = firstWaitMilliseconds; ; attempt += 1, wait *= 1.5) {
      const last = attempt === attempts || performance.now() - started + wait > totalMilliseconds;
      try {
        const answer = await withLimit((signal) => request(method, path, body, signal));
        if (!worthAnotherTry.has(answer.status)) return answer;
        if (last) throw new Error(`${method} ${path}: kube-apiserver answered ${answer.status}`);
      } catch (error) {
        if (last) throw error;
      }
      await pause(wait * (1 + 0.2 * Math.random()));
    }
  };

/** A timer of its own: AbortSignal.timeout lives on until its time is over, and these are many. */
const withLimit = async <Result>(ask: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error('no answer within 10 s')), attemptMilliseconds);
  try {
    return await ask(limit.signal);
  } finally {
    clearTimeout(timer);
  }
};

/** Has kube-apiserver review something; the status of the review. Throws when there was no review. */
export const reviewer = (request: KubernetesRequest) => {
  const ask = persistently(request);
  return async <Status>(group: string, kind: string, spec: object): Promise<Partial<Status>> => {
    const body = { apiVersion: `${group}/v1`, kind, spec };
    const answer = await ask('POST', `/apis/${group}/v1/${kind.toLowerCase()}s`, body);
    if (answer.status !== 200 && answer.status !== 201) throw new Error(`${kind}: ${answer.status}`);
    return (answer.body as { status?: Partial<Status> }).status ?? {};
  };
};

/**
 * Passes reviews on, and says once, until it is over, that kube-apiserver takes none from us: whoever asks us sees nothing
 * but a 401 or a 500.
 */
export const sayingRefusals = (request: KubernetesRequest, log: RequestLog): KubernetesRequest => {
  const refused = new Set<string>();
  return async (method, path, body, signal) => {
    const answer = await request(method, path, body, signal);
    if (answer.status !== 403) refused.delete(path);
    else if (!refused.has(path)) {
      refused.add(path);
      const { kind } = body as { readonly kind: string };
      const problem = forbidden('create', kind, 'ClusterRoleBinding gpumix-auth-delegator in manifests/');
      log.error({ problem: problem.message }, 'callers are turned away');
    }
    return answer;
  };
};
