import { setTimeout as pause } from 'node:timers/promises';

/** One call to kube-apiserver; rejects only when there was no answer. */
export type KubernetesRequest = (
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
) => Promise<{ status: number; body: unknown }>;

const attempts = 5;
const firstWaitMilliseconds = 500;
const attemptMilliseconds = 10_000;
const worthAnotherTry = new Set([429, 500, 502, 503, 504]);

/**
 * Asks again after a lost connection or a passing failure, as client-go's delegated authenticators do: five attempts,
 * 0.5 s apart and growing by half. Throws when the last one failed.
 */
export const persistently =
  (request: KubernetesRequest): KubernetesRequest =>
  async (method, path, body, signal) => {
    for (let attempt = 1, wait = firstWaitMilliseconds; ; attempt += 1, wait *= 1.5) {
      const limit = AbortSignal.timeout(attemptMilliseconds);
      try {
        const answer = await request(method, path, body, signal ? AbortSignal.any([signal, limit]) : limit);
        if (!worthAnotherTry.has(answer.status)) return answer;
        if (attempt === attempts) throw new Error(`${method} ${path}: kube-apiserver answered ${answer.status}`);
      } catch (error) {
        if (attempt === attempts || signal?.aborted) throw error;
      }
      await pause(wait * (1 + 0.2 * Math.random()), undefined, signal ? { signal } : {});
    }
  };
