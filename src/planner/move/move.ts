import { deploymentKey } from '../../vocabulary/deployment-key.ts';
import type { ModelPlan } from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Belief } from '../believe/believe.ts';
import { longestStartup, noStartups, startupSeconds } from '../believe/startups.ts';
import { isUnfollowed } from '../believe/target-following.ts';
import type { MakePlan } from '../plan/counted-plans.ts';
import type { Planned } from '../plan/plan.ts';
import { extraReplicas } from './extra-replicas.ts';
import type { Forgone } from './mix-worth-moving-to.ts';
import { stockLeftByOthers } from './stock-left-by-others.ts';
import { type Transition, type TransitionSettings, transition } from './transition.ts';
import type { UnwantedStarts } from './unwanted-starts.ts';
import type { Mixes, WantedReplicas } from './variant-transition.ts';
import { mixesOf } from './what-if-mixes.ts';

export interface MoveSettings extends TransitionSettings {
  /** What a replica takes to start, until that is learned (s). */
  readonly startupSeconds: number;
}

/** What is remembered of moves, by `namespace/name` where nothing else is said. */
export interface MoveMemory {
  /** The last decision per Deployment. */
  readonly decisions: ReadonlyMap<string, Decision>;
  /** What the plans of the hold-down time wanted. */
  readonly wanted: ReadonlyMap<string, readonly WantedReplicas[]>;
  /** What each model has forgone by not changing to another mix, by its name. */
  readonly forgone: ReadonlyMap<string, Forgone>;
  /** What became of each model's replicas that started and were not wanted any more, by its name; absent = nothing is known. */
  readonly unwanted?: ReadonlyMap<string, UnwantedStarts>;
}
export const nothingMoved: MoveMemory = { decisions: new Map(), wanted: new Map(), forgone: new Map(), unwanted: new Map() };

/** What was decided in this tick; of all others the last decision stands. */
export interface Moved extends MoveMemory {
  /** Models that would change to another mix, but there is no stock for what is given up and what replaces it. */
  readonly blocked: ReadonlySet<string>;
}

/** What a tick knows when it moves. */
export interface MoveTick {
  readonly reading: { readonly now: number };
  readonly memory: { readonly moved: MoveMemory };
  readonly settings: MoveSettings;
  /** Answers what would be. */
  readonly whatIf: MakePlan;
}

/**
 * The third stage of a tick: from what was published last, and runs, toward the plan. Idle models go to their label; where there
 * is no plan to follow nothing is decided. Replicas that limits are only guessed to forbid are asked for one at a time.
 */
export const move = (planned: Planned, tick: MoveTick): Moved => {
  const { beliefs, solved } = planned;
  const moveOf = solved === null ? moveWithoutPlan(tick) : movesByPlan({ ...planned, solved }, tick);
  const moves = beliefs.map(moveOf);
  return {
    decisions: new Map(moves.flatMap(({ decisions }) => [...decisions])),
    wanted: new Map(moves.flatMap(({ wanted }) => [...wanted])),
    forgone: new Map(moves.flatMap(({ forgone }) => [...forgone])),
    unwanted: new Map(moves.flatMap(({ unwanted }) => [...(unwanted ?? [])])),
    blocked: new Set(moves.flatMap(({ blocked }) => blocked)),
  };
};

/** Of one model. */
interface ModelMove extends MoveMemory {
  readonly blocked: readonly string[];
}

/** How a model moves for which there is no plan. */
const moveWithoutPlan =
  ({ memory: { moved } }: MoveTick) =>
  (belief: Belief): ModelMove => ({ ...idleMove(belief, moved.forgone), ...unwantedOf(belief, moved), blocked: [] });

/** It is kept as it is while there is no plan. */
const unwantedOf = ({ name }: Belief, { unwanted }: MoveMemory): Pick<MoveMemory, 'unwanted'> => {
  const known = unwanted?.get(name);
  return known === undefined ? {} : { unwanted: new Map([[name, known]]) };
};

/** How each model moves where there are plans for some. */
const movesByPlan = (planned: Planned & { readonly solved: NonNullable<Planned['solved']> }, tick: MoveTick) => {
  const { snapshot, plan } = planned.solved;
  const beyondPlan = extraReplicas({ ...planned, snapshot, plan }, tick.whatIf);
  const fits = stockLeftByOthers(snapshot, plan);
  const plans = new Map(plan.models.map((modelPlan) => [modelPlan.name, modelPlan]));
  const models = new Map(snapshot.models.map((model) => [model.name, model]));
  const withoutPlan = moveWithoutPlan(tick);
  return (belief: Belief): ModelMove => {
    const [modelPlan, model] = [plans.get(belief.name), models.get(belief.name)];
    if (belief.demand === null || modelPlan === undefined || model === undefined) return withoutPlan(belief);
    const mixes = { ...mixesOf(model, snapshot, tick.whatIf, belief), fits: fits(model) };
    const { targets, wanted, forgone, unwanted, blocked } = towardPlan(belief, modelPlan, mixes, planned.unfollowed, tick);
    return {
      decisions: asDecisions(notBelowLabels(belief, targets), beyondPlan, dataUntil(belief)),
      wanted,
      forgone: new Map([[belief.name, forgone]]),
      unwanted: new Map([[belief.name, unwanted]]),
      blocked: blocked ? [belief.name] : [],
    };
  };
};

const towardPlan = (
  belief: Belief,
  modelPlan: ModelPlan,
  mixes: Mixes,
  unfollowed: ReadonlyMap<string, number>,
  { memory: { moved: last }, settings, reading: { now } }: MoveTick,
): Transition => {
  const asked = askedReplicasOf(belief, last.decisions, unfollowed);
  // What nobody can serve says nothing of what there should be.
  const lowersNothing = modelPlan.unserved.some(({ reason }) => reason === 'profile');
  const startups = startupsOf(belief, settings.startupSeconds);
  const steps = belief.candidates.map(({ key, price, ready }) => {
    const askedReplicas = asked.get(key) ?? 0;
    return {
      key,
      price,
      plannedReplicas: Math.max(modelPlan.replicas[key] ?? 0, lowersNothing ? askedReplicas : 0),
      askedReplicas,
      ready: Math.min(ready, unfollowed.get(key) ?? ready),
      startupSeconds: startups.get(key) ?? 0,
      wanted: (follows(belief, key) && last.wanted.get(key)) || [],
    };
  });
  const next = transition(steps, mixes, now, settings, last.forgone.get(belief.name), last.unwanted?.get(belief.name));
  return { ...next, targets: new Map([...next.targets].map(([key, target]) => [key, unfollowed.get(key) ?? target])) };
};

/** Of a Deployment whose pods have not told yet, as long as the model's others take, where they have (s). */
const startupsOf = ({ candidates, behaviours }: Belief, otherwise: number): ReadonlyMap<string, number> => {
  const ofEach = candidates.map(({ key }) => [key, behaviours.get(key)?.startups ?? noStartups] as const);
  const usual = longestStartup(
    ofEach.map(([, startups]) => startups),
    otherwise,
  );
  return new Map(ofEach.map(([key, startups]) => [key, startupSeconds(startups, usual)]));
};

/** What was published of a Deployment that does not follow is not what it goes by: a plan starts from what runs. */
const follows = ({ behaviours }: Pick<Belief, 'behaviours'>, key: string): boolean =>
  !isUnfollowed(behaviours.get(key)?.following ?? null);

/** How many replicas each Deployment is asked for now: from them it moves toward the plan. */
export const askedReplicasOf = (
  belief: Pick<Belief, 'deployments' | 'behaviours'>,
  decisions: MoveMemory['decisions'],
  unfollowed: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> =>
  new Map(
    belief.deployments.map((deployment): [string, number] => {
      const key = deploymentKey(deployment);
      const { replicas: runs } = deployment;
      const last = follows(belief, key) ? decisions.get(key) : undefined;
      // What is beyond what is wanted may be gone as soon as it is followed again.
      if (unfollowed.has(key)) return [key, Math.min(runs, unfollowed.get(key)!)];
      if (last === undefined) return [key, runs];
      return [key, last.restored === true ? Math.max(last.replicas, runs) : last.replicas - (last.waiting ?? 0)];
    }),
  );

const asDecisions = (
  targets: ReadonlyMap<string, number>,
  beyondPlan: ReadonlyMap<string, number>,
  asOf: number | null,
): ReadonlyMap<string, Decision> => {
  if (asOf === null) return new Map();
  const decisionOf = (target: number, more: number): Decision =>
    more > target ? { replicas: more, asOf, waiting: more - target } : { replicas: target, asOf };
  return new Map([...targets].map(([key, target]) => [key, decisionOf(target, beyondPlan.get(key) ?? 0)]));
};

/** That nothing came is data too. @returns Unix s; null = there was never any */
const dataUntil = ({ conclusion: { state, silentUntil }, dataAt }: Belief): number | null =>
  state === 'idle' ? Math.max(dataAt ?? 0, silentUntil) : dataAt;

/** A model that is woken ahead is idle until something comes, and has what its labels say until then. */
const notBelowLabels = (
  { conclusion: { state }, deployments }: Belief,
  targets: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> => {
  if (state !== 'idle') return targets;
  const labels = new Map(deployments.map((deployment) => [deploymentKey(deployment), deployment.idleReplicas ?? 0]));
  return new Map([...targets].map(([key, target]) => [key, Math.max(target, labels.get(key) ?? 0)]));
};

/** Idle goes to the label; what earlier plans wanted is over. In other states nothing is newly decided, and nothing forgotten. */
const idleMove = (belief: Belief, forgone: MoveMemory['forgone']): MoveMemory => {
  const { name, conclusion, deployments, excluded } = belief;
  const known = forgone.get(name);
  const asOf = dataUntil(belief);
  if (conclusion.state !== 'idle' || asOf === null)
    return { ...nothingMoved, forgone: new Map(known === undefined ? [] : [[name, known]]) };
  const decided = deployments.filter(
    (deployment) => !excluded.has(deploymentKey(deployment)) && deployment.idleReplicas !== null,
  );
  return {
    decisions: new Map(
      decided.map((deployment) => [deploymentKey(deployment), { replicas: deployment.idleReplicas ?? 0, asOf, idle: true }]),
    ),
    wanted: new Map(deployments.map((deployment) => [deploymentKey(deployment), []])),
    forgone: new Map(),
  };
};
