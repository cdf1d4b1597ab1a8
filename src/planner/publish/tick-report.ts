import type { Logger } from 'pino';
import type { Decided } from './decided.ts';

/** Says what changed since the last tick, and each problem once until it goes away. */
export const tickReporter = (log: Logger) => {
  let known = new Set<string>();
  let targets = new Map<string, string>();
  let states = new Map<string, string>();
  return (decided: Decided, problems: readonly string[]): void => {
    for (const problem of problems) if (!known.has(problem)) log.warn({ problem }, 'problem');
    for (const problem of known) if (!problems.includes(problem)) log.info({ problem }, 'problem gone');
    known = new Set(problems);
    for (const { name, state, reason } of decided.models)
      if (states.get(name) !== state) log.info({ model: name, state, reason }, 'state');
    states = new Map(decided.models.map(({ name, state }) => [name, state]));
    const now = new Map(
      decided.targets.map(({ namespace, deployment, decision }) => [
        `${namespace}/${deployment}`,
        'replicas' in decision ? String(decision.replicas) : 'unavailable',
      ]),
    );
    for (const [deployment, target] of now)
      if (targets.get(deployment) !== target) log.info({ deployment, target, from: targets.get(deployment) }, 'target');
    targets = now;
    const { plan } = decided;
    if (plan !== null)
      log.debug({ status: plan.status, cost: plan.cost, gap: plan.gap, ...plan.solve, plansMade: decided.plansMade }, 'planned');
  };
};
