import { forbidden } from '../vocabulary/errors.ts';
import type { KubernetesRequest } from './kubernetes.ts';
import type { Log } from './log.ts';

/**
 * Passes reviews on, and says once, until it is over, that kube-apiserver takes none from us: whoever asks us sees nothing
 * but a 401 or a 500.
 */
export const sayingRefusals = (request: KubernetesRequest, log: Log): KubernetesRequest => {
  const refused = new Set<string>();
  return async (method, path, body, signal) => {
    const answer = await request(method, path, body, signal);
    if (answer.status !== 403) refused.delete(path);
    else if (!refused.has(path)) {
      refused.add(path);
      const { kind } = body as { readonly kind: string };
      const problem = forbidden('create', kind, 'ClusterRoleBinding gpumix:system:auth-delegator in apiservice/');
      log.error({ problem: problem.message }, 'callers are turned away');
    }
    return answer;
  };
};
