import type { Bounds } from '../../cluster/bounds.ts';
import { fixedReplicas, type ModelDeployment } from '../../cluster/variant.ts';
import type { Decision, Target } from '../../vocabulary/target.ts';

/**
 * A target as Kubernetes alone has it now, whoever decided it and when: a pin, a pause, the label of an idle model, and the
 * bounds of autoscalers. Every replica of gpumix applies this to what it has, so that they say the same while they cannot tell
 * each other.
 * @param bounds those of now; undefined = none
 * @param now Unix s
 */
export const targetByKubernetes = (
  target: Target,
  deployment: ModelDeployment,
  bounds: Bounds | undefined,
  now: number,
): Target => {
  const { paused, problem } = deployment;
  const fixed = fixedReplicas(deployment, now);
  if (fixed !== null) {
    const decision = { replicas: fixed, asOf: now, ...(paused ? {} : { pinned: true }) };
    const why = problem === null ? '' : ` (${problem})`;
    const unavailable = `paused by the annotation gpumix.io/paused${why}`;
    return { ...target, decision: paused ? { unavailable } : decision, standing: decision };
  }
  const { decision, standing } = target;
  const bound = (unbound: Decision): Decision => withinBounds(asLabelled(unbound, deployment), bounds);
  if (!('replicas' in decision)) return { ...target, standing: bound(standing) };
  const unreadable = decision.idle === true && deployment.idleReplicas === null && problem !== null;
  return { ...target, decision: unreadable ? { unavailable: problem } : bound(decision), standing: bound(standing) };
};

const asLabelled = (decision: Decision, { idleReplicas }: ModelDeployment): Decision =>
  decision.idle !== true || idleReplicas === null || idleReplicas === decision.replicas
    ? decision
    : { ...decision, replicas: idleReplicas };

/** A minimum is no reason to wake an idle model: what its autoscaler does about it is its own. */
const withinBounds = (decision: Decision, bounds: Bounds | undefined): Decision => {
  if (bounds === undefined || decision.idle === true) return decision;
  const { minReplicas, maxReplicas } = bounds;
  const replicas = Math.min(Math.max(decision.replicas, minReplicas), maxReplicas ?? Number.POSITIVE_INFINITY);
  return replicas === decision.replicas ? decision : { ...decision, replicas };
};
