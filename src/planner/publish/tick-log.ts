import type { Logger } from 'pino';
import { problemReporter } from '../../runtime/logger.ts';
import { ownerKey } from '../../vocabulary/deployment-key.ts';
import type { TickOutcome } from './tick-outcome.ts';

/** Says what changed since the last tick. */
export const tickLog = (log: Logger) => {
  const reportProblems = problemReporter(log);
  let targets = new Map<string, string>();
  let states = new Map<string, string>();
  return (decided: TickOutcome, problems: readonly string[]): void => {
    reportProblems(problems);
    for (const { name, state, reason } of decided.models)
      if (states.get(name) !== state) log.info({ model: name, state, reason }, 'state');
    states = new Map(decided.models.map(({ name, state }) => [name, state]));
    const now = new Map(
      decided.targets.map((target) => [
        ownerKey(target),
        'replicas' in target.decision ? String(target.decision.replicas) : 'unavailable',
      ]),
    );
    for (const [deployment, target] of now)
      if (targets.get(deployment) !== target) log.info({ deployment, target, from: targets.get(deployment) }, 'target');
    targets = now;
    const { plan } = decided;
    if (plan !== null)
      log.debug(
        {
          status: plan.status,
          cost: plan.cost,
          gap: plan.gap,
          servedGap: plan.servedGap,
          ...plan.solve,
          plansMade: decided.plansMade,
        },
        'planned',
      );
  };
};
