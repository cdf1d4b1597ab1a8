import type { Logger } from 'pino';
import { problemReporter } from '../../runtime/logger.ts';
import { ownerKey } from '../../vocabulary/deployment-key.ts';
import type { Target } from '../../vocabulary/target.ts';
import type { ModelReport, TickOutcome } from '../report/tick-outcome.ts';

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
    const modelOf = new Map(
      decided.models.flatMap((model) => model.deployments.map((deployment) => [deployment, model] as const)),
    );
    const now = new Map(decided.targets.map((target) => [ownerKey(target), target]));
    for (const [deployment, target] of now) {
      const [before, after] = [targets.get(deployment), targetText(target)];
      const model = modelOf.get(deployment);
      if (before !== after)
        log.info({ deployment, model: model?.name, target: after, from: before, reason: reasonOf(target, model) }, 'target');
    }
    targets = new Map([...now].map(([deployment, target]) => [deployment, targetText(target)]));
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

const targetText = ({ decision }: Target): string => ('replicas' in decision ? String(decision.replicas) : 'unavailable');

/** Why a target is what it is. */
const reasonOf = ({ decision }: Target, model: ModelReport | undefined): string | undefined => {
  if ('unavailable' in decision) return decision.unavailable;
  if (decision.pinned === true) return 'pinned by the annotation gpumix.io/pin';
  if (model === undefined) return undefined;
  const { state, reason, arrivalRate } = model;
  const plannedFor = arrivalRate === null ? null : `${Number(arrivalRate.toPrecision(3))} req/s are planned for`;
  const why = plannedFor === null ? `${state}: ${reason}` : state === 'idle' ? `${plannedFor}: ${reason}` : plannedFor;
  return (decision.waiting ?? 0) > 0 ? `${why}; ${decision.waiting} beyond the plan wait for a GPU that may come` : why;
};
