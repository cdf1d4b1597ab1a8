import type { Pace } from '../../cluster/pace.ts';
import type { ModelDeployment } from '../../cluster/variant.ts';
import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import { type Plan, totalRate } from '../../vocabulary/planning-documents.ts';
import type { Decision, Target } from '../../vocabulary/target.ts';
import type { Workload } from '../../workload/workload.ts';
import type { Belief } from '../believe/believe.ts';
import type { State } from '../believe/model-states.ts';
import type { Moved } from '../move/move.ts';
import type { MakePlan } from '../plan/counted-plans.ts';
import type { Planned } from '../plan/plan.ts';
import { cannotWake } from './cannot-wake.ts';
import { routesOf } from './ready-routing.ts';
import { targetByKubernetes } from './target-by-kubernetes.ts';
import type { ModelReport, Report } from './tick-outcome.ts';
import { variantReports } from './variant-reports.ts';

export interface ReportReading {
  /** Unix seconds by Redis' clock. */
  readonly now: number;
  readonly workload: Pick<Workload, 'heartbeatAt'> | null;
  /** Ready pods by Deployment. */
  readonly ready: ReadonlyMap<string, number>;
  /** How the autoscaler of a Deployment goes about changes; absent = it has none. */
  readonly paces?: ReadonlyMap<string, Pace>;
}

export interface ReportSettings {
  /** A stale plan stands this long (s). */
  readonly staleAfterSeconds: number;
  /** What a replica takes to start, until that is learned (s). */
  readonly startupSeconds: number;
  /** Whether routers are told of the plan; absent = they are not. */
  readonly routingPlans?: boolean;
}

/** What a tick knows when it reports. */
export interface ReportTick {
  readonly reading: ReportReading;
  /** Decisions of earlier ticks, which stand where nothing new was decided. */
  readonly memory: { readonly moved: { readonly decisions: ReadonlyMap<string, Decision> } };
  readonly settings: ReportSettings;
  /** Answers what would be. */
  readonly whatIf: MakePlan;
}

/**
 * The fourth stage of a tick: what is to be said of models that were planned for and moved, to autoscalers, to people, and to
 * routers. What each target says where there is no decision is settled here.
 */
export const report = (
  { beliefs, solved, ofAllModels }: Planned,
  moved: Moved,
  { reading, memory, settings, whatIf }: ReportTick,
): Report => {
  const { decisions, blocked } = moved;
  const lastDecision = (key: string): Decision | undefined => decisions.get(key) ?? memory.moved.decisions.get(key);
  const plans = new Map(solved?.plan.models.map((modelPlan) => [modelPlan.name, modelPlan]));
  const heartbeatAt = reading.workload?.heartbeatAt ?? null;
  const { now, paces } = reading;
  const variantSources = { now, paces, decisions: memory.moved.decisions, startupSeconds: settings.startupSeconds };
  const reports = beliefs.map((belief) => {
    const targets = belief.deployments.map((deployment) =>
      targetOf(deployment, belief, lastDecision(deploymentKey(deployment)), now, settings),
    );
    const modelReport: ModelReport = {
      ...reportOf(belief, plans.get(belief.name)),
      cannotWake: cannotWake(belief.conclusion, targets, heartbeatAt, now),
      swapBlocked: blocked.has(belief.name),
      variants: variantReports(belief, variantSources),
    };
    return { targets, modelReport };
  });
  return {
    targets: reports.flatMap(({ targets }) => targets),
    models: reports.map(({ modelReport }) => modelReport),
    snapshot: ofAllModels ? (solved?.snapshot ?? null) : null,
    // Of many plans the models are most of the memory, and nobody asks for them without their snapshot.
    plan: solved === null || ofAllModels ? (solved?.plan ?? null) : { ...solved.plan, models: [] },
    routes:
      solved === null || settings.routingPlans !== true
        ? []
        : routesOf(solved.snapshot, solved.plan, reading.ready, ttftLimits(beliefs), whatIf),
  };
};

/** The strictest limit on the time to the first token that the profiles of a model have (s). */
const ttftLimits = (beliefs: readonly Belief[]): ReadonlyMap<string, number> =>
  new Map(
    beliefs.flatMap(({ name, candidates }) => {
      const seconds = candidates.flatMap(({ profile }) => profile.slo?.ttft ?? []);
      return seconds.length === 0 ? [] : [[name, Math.min(...seconds)] as const];
    }),
  );

const targetOf = (
  deployment: ModelDeployment,
  { conclusion: { state, reason }, excluded }: Belief,
  last: Decision | undefined,
  now: number,
  { staleAfterSeconds }: ReportSettings,
): Target => {
  const key = deploymentKey(deployment);
  const { namespace, name, labels, idleReplicas, replicas } = deployment;
  const unavailable = (): Target['decision'] => {
    // Raising is safe, whatever is not known.
    if ((state === 'missing' || excluded.has(key)) && idleReplicas !== null && replicas < idleReplicas)
      return { replicas: idleReplicas, asOf: now };
    return { unavailable: excluded.get(key) ?? unreadableLabel(deployment, state) ?? `${state}: ${reason}` };
  };
  const lastStands =
    last !== undefined &&
    !excluded.has(key) &&
    state !== 'missing' &&
    !(state === 'stale' && now - last.asOf > staleAfterSeconds);
  const target = {
    namespace,
    deployment: name,
    labels,
    decision: lastStands && unreadableLabel(deployment, state) === null ? last : unavailable(),
    standing: last ?? { replicas, asOf: now },
  };
  // As of this tick, for the log, the records and whether the model can wake. The board asks anew whenever it is read: a pin, a
  // label or a bound may have changed since, and a follower watches them itself. Bounds are the board's alone.
  return targetByKubernetes(target, deployment, undefined, now);
};

/** Only an idle model needs its label. */
const unreadableLabel = ({ idleReplicas, problem }: ModelDeployment, state: State): string | null =>
  state === 'idle' && idleReplicas === null ? problem : null;

const reportOf = (
  { name, conclusion, demand, headroom, dataAt, deployments, candidates, excluded, forecast, strains, recordDefect }: Belief,
  modelPlan: Plan['models'][number] | undefined,
): Omit<ModelReport, 'variants' | 'swapBlocked' | 'cannotWake'> => {
  const unserved = Object.groupBy(modelPlan?.unserved ?? [], ({ reason }) => reason);
  // Demand is known, but there is nothing to serve it with.
  const nothingServes = conclusion.state === 'fresh' && candidates.length === 0;
  return {
    name,
    state: conclusion.state,
    reason: nothingServes ? [...excluded.values()].join('; ') : conclusion.reason,
    arrivalRate: demand === null ? null : totalRate(demand),
    headroom,
    unserved: Object.fromEntries(Object.entries(unserved).map(([reason, rows]) => [reason, totalRate(rows)])),
    beyondSlo: totalRate(modelPlan?.beyondSlo ?? []),
    forecast,
    strain: Math.max(1, ...[...strains.values()].map(({ factor }) => factor)),
    dataAt,
    recordDefect,
    deployments: deployments.map(deploymentKey),
  };
};
