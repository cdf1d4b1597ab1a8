import type { Policy, ReplicaView } from './policy.ts';

/** Requests that wait in an engine, per replica, which the autoscaler aims at; what vLLM's guides begin with. */
const wantedWaiting = 1;
const tolerance = 0.1;
/** kube-controller-manager's defaults: a target falls to the highest of five minutes, and rises by 100 % or 4 at a time. */
const stabilisationSeconds = 300;
const [mostFactor, mostReplicas] = [2, 4];

/**
 * The HPA of one Deployment on the length of its engines' queues (`vllm:num_requests_waiting`, an average per pod), by the
 * HPA's arithmetic and its default behaviour.
 * @param maxReplicas of the HPA: a queue that has formed stays where it is, whatever is added, and without a limit the
 * replicas double until it has gone
 */
export const queuePolicy = (name: string, key: string, maxReplicas: number): Policy => {
  let recommendations: { readonly at: number; readonly replicas: number }[] = [];
  const wanted = (view: ReplicaView): number => {
    const [current, ready] = [view.spec(key), view.ready(key)];
    if (ready === 0) return Math.max(1, current);
    const ratio = view.waiting(key) / ready / wantedWaiting;
    return Math.abs(ratio - 1) <= tolerance ? current : Math.max(1, Math.ceil(ratio * ready));
  };
  return {
    name,
    syncSeconds: 15,
    observe: async () => {},
    tick: async () => {},
    sync: (view) => {
      recommendations = [
        ...recommendations.filter(({ at }) => at > view.now - stabilisationSeconds),
        { at: view.now, replicas: wanted(view) },
      ];
      const current = view.spec(key);
      const stable = Math.max(...recommendations.map(({ replicas }) => replicas));
      const most = Math.min(maxReplicas, Math.max(mostFactor * current, current + mostReplicas));
      const up = recommendations.at(-1)!.replicas;
      return new Map([[key, up > current ? Math.min(up, most) : Math.min(current, stable)]]);
    },
    plan: () => null,
  };
};
