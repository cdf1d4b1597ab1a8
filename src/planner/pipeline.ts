import type { ModelDeployment } from '../cluster/variant.ts';
import type { Decision, Target } from '../vocabulary/target.ts';
import type { Demand, Plan, Shortage, Snapshot } from '../vocabulary/planning-documents.ts';
import type { Forecast } from './believe/forecast.ts';
import { type RecordDefect, shapeOf } from '../workload/rates.ts';
import { believedWorkload, samplesSeen } from './believe/engine-samples-seen.ts';
import { asKubernetesSays } from './publish/kubernetes-overrides.ts';
import type { VariantReport } from './believe/deployment-behaviour.ts';
import { joined } from './plan/plan-of-snapshot.ts';
import { judgedProfiles, loadsOf, profilesToPlanBy, trialsAfter } from './believe/trusted-profiles.ts';
import { type Routes, routesOf } from './publish/ready-routing.ts';
import {
  cappedBounds,
  lacks,
  observedNow,
  unfollowedWishes,
  variantReports,
  withoutUnfollowed,
  withSeen,
  withUnfollowed,
} from './plan/attainable-bounds.ts';
import {
  type DecideSettings,
  type Group,
  groupsOf,
  keyOf,
  type Memory,
  type Reading,
  type Situation,
  situationOf,
} from './believe/believe.ts';
import { limitsNow, snapshotNow } from './plan/make-snapshot.ts';
import type { State } from './believe/states.ts';
import { mayLimit } from './plan/stock-limits.ts';
import { towardPlan } from './move/toward-plan.ts';
import { cannotWake } from './publish/cannot-wake.ts';
import { wishesOf } from './move/extra-replicas.ts';

/** What became of one model in this tick. */
export interface ModelReport {
  readonly name: string;
  readonly state: State;
  readonly reason: string;
  /** req/s, headroom included; null = not known. */
  readonly arrivalRate: number | null;
  /** Of it what the plan cannot serve, by reason, and what no variant serves within the SLO (req/s). */
  readonly unserved: Readonly<Partial<Record<Shortage, number>>>;
  readonly beyondSlo: number;
  /** What was planned for is foreseen, by this method; null = as it is now. */
  readonly forecast: Forecast | null;
  /** Work of a request over what the profiles say, as learned; 1 = as they say. */
  readonly strain: number;
  /** End of the newest record (Unix s); null = there never was one. */
  readonly dataAt: number | null;
  /** Why what its gateway counts is not believed; null = it is. */
  readonly recordDefect: RecordDefect | null;
  readonly deployments: readonly string[];
  /** It would change to another mix, but there is no stock for what is given up and what replaces it. */
  readonly swapBlocked: boolean;
  /** It is at zero, and no request will be seen that could wake it. */
  readonly cannotWake: boolean;
  /** What was seen of them. */
  readonly variants: readonly VariantReport[];
}

export interface Decided {
  readonly memory: Memory;
  readonly targets: readonly Target[];
  readonly models: readonly ModelReport[];
  /** The solve's input and answer; null where no model had fresh demand. */
  readonly snapshot: Snapshot | null;
  readonly plan: Plan | null;
  /** Of each model that was planned for, where routers are told: where its requests go. */
  readonly routes: readonly Routes[];
}

/**
 * One tick of the planner: what was read, and what it remembers, to the targets. Fresh models are solved together; idle
 * ones go to their label; of the others the last decision stands while it is young enough.
 */
export const decide = (
  read: Reading,
  memory: Memory,
  settings: DecideSettings,
  solve: (snapshot: Snapshot) => Plan,
): Decided => {
  const samples = samplesSeen(read, memory.samples);
  const workload = read.workload && believedWorkload(read.workload, read.deployments.values(), samples);
  const shapes = new Map(memory.shapes);
  for (const [name, { intervals }] of workload?.names ?? []) {
    const shape = shapeOf(intervals, settings.shapeWindowSeconds);
    if (shape !== null) shapes.set(name, shape);
  }
  const judged = judgedProfiles(read, memory.trials, shapes);
  const reading = { ...read, workload, ...profilesToPlanBy(read, judged) };
  const observed = observedNow(reading, memory, settings);
  const groups = groupsOf(reading, settings.poolNamespaces);
  // Models that share no budget and no stock are decided one after the other, so that the numbers of only one are in memory.
  const alone =
    settings.budget === null && !settings.keepSnapshot && !mayLimit(reading.supply, settings.stock ?? 'none');
  const { supply: _, ...unlimited } = reading;
  const parts = (alone ? groups.map((group) => [group]) : [groups]).map((some) =>
    decideTogether(some, alone ? unlimited : reading, { ...memory, shapes, observed }, settings, solve),
  );
  const stillThere = <Value>(known: ReadonlyMap<string, Value>) =>
    [...known].filter(([key]) => reading.deployments.has(key));
  const stillCalled = <Value>(known: ReadonlyMap<string, Value>) =>
    [...known].filter(([name]) => reading.workload?.names.has(name) ?? true);
  const plans = parts.flatMap(({ plan }) => plan ?? []);
  return {
    memory: {
      decisions: new Map([...stillThere(memory.decisions), ...parts.flatMap(({ decisions }) => [...decisions])]),
      recent: new Map([...stillThere(memory.recent), ...parts.flatMap(({ recent }) => [...recent])]),
      histories: new Map([...stillCalled(memory.histories), ...parts.flatMap(({ histories }) => [...histories])]),
      strains: new Map([...stillCalled(memory.strains), ...parts.flatMap(({ strains }) => [...strains])]),
      shapes: new Map(stillCalled(shapes)),
      observed,
      samples,
      trials: trialsAfter(
        new Map(stillThere(memory.trials)),
        judged,
        parts.flatMap(({ loads }) => [...loads]),
      ),
    },
    targets: parts.flatMap(({ targets }) => targets),
    models: parts.flatMap(({ models }) => models),
    snapshot: alone ? null : (parts[0]?.snapshot ?? null),
    plan: plans.length > 1 ? joined(plans) : (plans[0] ?? null),
    routes: parts.flatMap(({ routes }) => routes),
  };
};

type Part = Omit<Decided, 'memory'> &
  Pick<Memory, 'decisions' | 'recent' | 'histories' | 'strains'> & {
    /** Replicas' worth of work of one request per second, by Deployment. */
    readonly loads: ReadonlyMap<string, number>;
  };

const decideTogether = (
  groups: readonly Group[],
  reading: Reading,
  memory: Memory,
  settings: DecideSettings,
  solve: (snapshot: Snapshot) => Plan,
): Part => {
  const found = groups.map((group) => situationOf(group, reading, memory, settings));
  const followed = withoutUnfollowed(memory);
  const seen = found.map((situation) => withSeen(situation, memory.observed, reading.now));
  const planned = plannedNow(seen, reading, memory, settings, solve);
  const unfollowed = unfollowedWishes(seen, memory.observed, planned.plan);
  const lacking = seen.some(({ offers }) => offers.some((offer) => lacks(offer, unfollowed)));
  const situations = lacking ? seen.map((situation) => withUnfollowed(situation, unfollowed)) : seen;
  const { limits, snapshot, plan } = lacking ? plannedNow(situations, reading, memory, settings, solve) : planned;
  const guessed =
    snapshot === null || plan === null
      ? null
      : { snapshot, plan, limits, capped: cappedBounds(found, memory.observed, reading.now) };
  const wishes = guessed === null ? new Map<string, number>() : wishesOf(guessed, solve);
  const decided = situations.map((situation) => {
    const own = plan?.status === 'unknown' ? undefined : plan?.models.find(({ name }) => name === situation.name);
    if (situation.demand === null || own === undefined || snapshot === null || plan === null)
      return { ...idleDecisions(situation), blocked: false };
    const solved = { snapshot, plan, solve };
    const { targets, recent, blocked } = towardPlan(
      situation,
      own,
      solved,
      { ...followed, unfollowed },
      settings,
      reading.now,
    );
    return { decisions: asDecisions(targets, wishes, situation.dataAt), recent, blocked };
  });
  const decisions = new Map(decided.flatMap((one) => [...one.decisions]));
  const standing = (key: string): Decision | undefined => decisions.get(key) ?? memory.decisions.get(key);
  const targets = situations.map((situation) =>
    situation.deployments.map((deployment) =>
      targetOf(deployment, situation, standing(keyOf(deployment)), reading, settings),
    ),
  );
  return {
    decisions,
    recent: new Map(decided.flatMap((one) => [...one.recent])),
    histories: new Map(situations.flatMap(({ histories }) => [...histories])),
    strains: new Map(situations.flatMap(({ strains }) => [...strains])),
    targets: targets.flat(),
    models: situations.map((situation, index) => ({
      ...reportOf(situation, plan),
      cannotWake: cannotWake(situation.conclusion, targets[index]!, reading.workload?.heartbeatAt ?? null, reading.now),
      swapBlocked: decided[index]!.blocked,
      variants: variantReports(situation, reading, memory, settings),
    })),
    snapshot,
    plan,
    loads: loadsOf(snapshot),
    routes:
      snapshot === null || plan === null || settings.routingPlans !== true
        ? []
        : routesOf(snapshot, plan, reading.ready, solve),
  };
};

/** What the fresh models may use, and the plan for them; null where none is. */
const plannedNow = (
  situations: readonly Situation[],
  reading: Reading,
  memory: Memory,
  settings: DecideSettings,
  solve: (snapshot: Snapshot) => Plan,
) => {
  const fresh = situations.filter(({ demand }) => demand !== null);
  const limits = limitsNow(situations, reading, memory, settings);
  const snapshot = fresh.length === 0 ? null : snapshotNow(fresh, reading, limits, memory, settings);
  return { limits, snapshot, plan: snapshot === null ? null : solve(snapshot) };
};

const asDecisions = (
  targets: ReadonlyMap<string, number>,
  wishes: ReadonlyMap<string, number>,
  asOf: number | null,
): ReadonlyMap<string, Decision> => {
  if (asOf === null) return new Map();
  const decisionOf = (target: number, wish: number): Decision =>
    wish > target ? { replicas: wish, asOf, waiting: wish - target } : { replicas: target, asOf };
  return new Map([...targets].map(([key, target]) => [key, decisionOf(target, wishes.get(key) ?? 0)]));
};

/** Idle goes to the label; what earlier plans wanted is over. In other states nothing is newly decided. */
const idleDecisions = ({ conclusion, deployments, refused, dataAt }: Situation): Pick<Part, 'decisions' | 'recent'> => {
  if (conclusion.state !== 'idle') return { decisions: new Map(), recent: new Map() };
  const asOf = Math.max(dataAt ?? 0, conclusion.silentUntil);
  const decided = deployments.filter((one) => !refused.has(keyOf(one)) && one.idleReplicas !== null);
  return {
    decisions: new Map(decided.map((one) => [keyOf(one), { replicas: one.idleReplicas ?? 0, asOf, idle: true }])),
    recent: new Map(deployments.map((one) => [keyOf(one), []])),
  };
};

const targetOf = (
  deployment: ModelDeployment,
  situation: Situation,
  last: Decision | undefined,
  { now }: Reading,
  { staleAfterSeconds }: DecideSettings,
): Target => {
  const key = keyOf(deployment);
  const { state, reason } = situation.conclusion;
  const { namespace, name, labels, idleReplicas, replicas } = deployment;
  const unavailable = (): Target['decision'] => {
    // Raising is safe, whatever is not known.
    if ((state === 'missing' || situation.refused.has(key)) && idleReplicas !== null && replicas < idleReplicas)
      return { replicas: idleReplicas, asOf: now };
    return { unavailable: situation.refused.get(key) ?? unreadableLabel(deployment, state) ?? `${state}: ${reason}` };
  };
  const stands =
    last !== undefined &&
    !situation.refused.has(key) &&
    state !== 'missing' &&
    !(state === 'stale' && now - last.asOf > staleAfterSeconds);
  const target = {
    namespace,
    deployment: name,
    labels,
    decision: stands && unreadableLabel(deployment, state) === null ? last : unavailable(),
    standing: last ?? { replicas, asOf: now },
  };
  return asKubernetesSays(target, deployment, undefined, now);
};

/** Only an idle model needs its label. */
const unreadableLabel = ({ idleReplicas, problem }: ModelDeployment, state: State): string | null =>
  state === 'idle' && idleReplicas === null ? problem : null;

const reportOf = (
  situation: Situation,
  plan: Plan | null,
): Omit<ModelReport, 'variants' | 'swapBlocked' | 'cannotWake'> => {
  const { name, conclusion, demand, dataAt, deployments, offers, refused } = situation;
  const planned = plan?.models.find((model) => model.name === name);
  const unserved = Object.groupBy(planned?.unserved ?? [], ({ reason }) => reason);
  return {
    name,
    state: conclusion.state,
    // Demand is known, but there is nothing to serve it with.
    reason: conclusion.state === 'fresh' && offers.length === 0 ? [...refused.values()].join('; ') : conclusion.reason,
    arrivalRate: demand === null ? null : rateOf(demand),
    unserved: Object.fromEntries(Object.entries(unserved).map(([reason, rows]) => [reason, rateOf(rows)])),
    beyondSlo: rateOf(planned?.beyondSlo ?? []),
    forecast: situation.forecast,
    strain: Math.max(1, ...[...situation.strains.values()].map(({ factor }) => factor)),
    dataAt,
    recordDefect: situation.recordDefect,
    deployments: deployments.map(keyOf),
  };
};

const rateOf = (rows: readonly Demand[]): number => rows.reduce((sum, { arrivalRate }) => sum + arrivalRate, 0);
