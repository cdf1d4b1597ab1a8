import type { Policy, ReplicaView } from './policy.ts';

const tolerance = 0.1;
/** kube-controller-manager's defaults: a target falls to the highest of five minutes, and rises by 100 % or 4 at a time. */
const stabilisationSeconds = 300;
const [mostFactor, mostReplicas] = [2, 4];

/** What an HPA aims at. */
export interface HpaMetric {
  /** As in "HPA on queue". */
  readonly name: string;
  /** Of all its replicas together. */
  readonly value: (view: ReplicaView, key: string) => number;
  /** Of the pods themselves: a mean over the Ready ones. Else of the service: over all that spec.replicas asks for. */
  readonly ofPods: boolean;
  /** For each replica. */
  readonly target: number;
}

/** `vllm:num_requests_waiting`; vLLM's guides begin with a target of 1. */
export const queueMetric: HpaMetric = { name: 'queue', value: (view, key) => view.waiting(key), ofPods: true, target: 1 };
/** Requests that are in the engines. @param target for each replica */
export const inFlightMetric = (target: number): HpaMetric => ({
  ...{ name: 'requests in flight', ofPods: true, target },
  value: (view, key) => view.running(key) + view.waiting(key),
});
/** Requests per second, over the last minute. @param target req/s for each replica */
export const requestRateMetric = (target: number): HpaMetric => ({
  ...{ name: 'requests per second', ofPods: false, target },
  value: (view) => view.arrivalRate(),
});

/**
 * The HPA of one Deployment on one metric (AverageValue), by the HPA's arithmetic and its default behaviour.
 * @param maxReplicas of the HPA: a queue that has formed stays where it is, whatever is added, and without a limit the
 * replicas double until it has gone
 */
export const hpaPolicy = (name: string, key: string, { value, ofPods, target }: HpaMetric, maxReplicas: number): Policy => {
  let recommendations: { readonly at: number; readonly replicas: number }[] = [];
  const wanted = (view: ReplicaView): number => {
    const current = view.spec(key);
    const counted = ofPods ? view.ready(key) : current;
    if (counted === 0) return Math.max(1, current);
    const ratio = value(view, key) / counted / target;
    return Math.abs(ratio - 1) <= tolerance ? current : Math.max(1, Math.ceil(ratio * counted));
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
