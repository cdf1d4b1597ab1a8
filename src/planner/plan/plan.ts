import type { Bounds } from '../../cluster/bounds.ts';
import type { Supply } from '../../cluster/stock.ts';
import { type Plan, type Snapshot, totalRate } from '../../vocabulary/planning-documents.ts';
import type { Decision } from '../../vocabulary/target.ts';
import type { Belief } from '../believe/believe.ts';
import { boundsIfPodsCame, isLacking, plannedOfUnfollowed, withAttainableBounds, withUnfollowed } from './bounds-by-behaviour.ts';
import type { MakePlan } from './counted-plans.ts';
import { limitsNow, makeSnapshot, type SnapshotSettings } from './make-snapshot.ts';
import type { RouterReading } from './router-knowledge.ts';
import { type Limits, mayLimit } from './stock-limits.ts';

export interface PlanReading extends RouterReading {
  /** What the cluster shows of its GPUs; absent = nothing. */
  readonly supply?: Supply;
}

export interface PlanSettings extends Omit<SnapshotSettings, 'workLimit'> {
  /** Whether the tick's snapshot is wanted; with many models it is most of the memory. */
  readonly keepSnapshot: boolean;
}

/** Models that were planned for together, and the plan. */
export interface Planned {
  /** With the bounds by which they were planned. */
  readonly beliefs: readonly Belief[];
  /** Whether these are all models, as they share a budget or stock, or one of many. */
  readonly ofAllModels: boolean;
  /** The solve's input and answer; null where no model had demand to plan for. */
  readonly solved: { readonly snapshot: Snapshot; readonly plan: Plan } | null;
  readonly limits: Limits;
  /** Bounds of variants whose pods do not come, as they would be if they came. */
  readonly boundsIfPodsCame: ReadonlyMap<string, Bounds>;
  /** Of Deployments whose targets are not followed, what the plan wants of them. */
  readonly unfollowed: ReadonlyMap<string, number>;
  /** Of the demand that was planned for, by variant (replica-seconds); its next profile is judged by it. */
  readonly workPerRequest: ReadonlyMap<string, number>;
}

/** What a tick knows when it plans. */
export interface PlanTick {
  readonly reading: PlanReading;
  /** What was decided last, by `namespace/name`. */
  readonly memory: { readonly moved: { readonly decisions: ReadonlyMap<string, Decision> } };
  readonly settings: PlanSettings;
  /** Units of work that its plans may take. */
  readonly workLimit: number;
  readonly makePlan: MakePlan;
}

/** Units of work that each of many models may take in any case: what nearly all of them are proven within. */
const leastWorkOfModel = 20_000;

/**
 * The second stage of a tick: the cheapest replicas for what is believed, of all models together or of one after the other. Each
 * is planned for when it is asked for, so that the numbers of only one are in memory.
 */
export function* planModels(models: readonly Belief[], tick: PlanTick): Generator<Planned, void> {
  if (belongTogether(tick)) yield { ...planTogether(models, tick), ofAllModels: true };
  else for (const model of models) yield { ...planTogether([model], tickOfOne(tick, models.length)), ofAllModels: false };
}

/** Whether what one model gets may be missing to another, or the snapshot of all is wanted. */
const belongTogether = ({ reading, settings }: PlanTick): boolean =>
  settings.budget !== null || settings.keepSnapshot || mayLimit(reading.supply, settings.stockSource ?? 'none');

/** Each of so many models has its part of the work. */
const tickOfOne = (tick: PlanTick, models: number): PlanTick => {
  const { supply: _, ...unlimited } = tick.reading;
  const workLimit = Math.max(leastWorkOfModel, Math.floor(tick.workLimit / models));
  return { ...tick, reading: unlimited, workLimit };
};

/** A second plan is made where those that do not follow their targets lack replicas: it plans around them. */
const planTogether = (
  models: readonly Belief[],
  { reading, memory: { moved }, settings, workLimit, makePlan }: PlanTick,
): Omit<Planned, 'ofAllModels'> => {
  const planFor = (beliefs: readonly Belief[], workLeft: number) => {
    const fresh = beliefs.filter(({ demand }) => demand !== null);
    const limits = limitsNow(beliefs, reading.supply, moved.decisions, settings);
    const snapshot =
      fresh.length === 0 ? null : makeSnapshot(fresh, reading, limits, moved.decisions, { ...settings, workLimit: workLeft });
    return { beliefs, limits, solved: snapshot === null ? null : { snapshot, plan: makePlan(snapshot) } };
  };
  const beliefs = models.map((model) => withAttainableBounds(model, reading.now));
  const asIfFollowed = planFor(beliefs, workLimit);
  const unfollowed = plannedOfUnfollowed(beliefs, asIfFollowed.solved?.plan ?? null);
  const lacking = beliefs.some(({ candidates }) => candidates.some((candidate) => isLacking(candidate, unfollowed)));
  const left = Math.max(leastWorkOfModel, workLimit - (asIfFollowed.solved?.plan.solve.work ?? 0));
  const final = lacking
    ? planFor(
        beliefs.map((belief) => withUnfollowed(belief, unfollowed)),
        left,
      )
    : asIfFollowed;
  return {
    ...final,
    unfollowed,
    boundsIfPodsCame: boundsIfPodsCame(models, reading.now),
    workPerRequest: workPerRequest(final.solved?.snapshot ?? null),
  };
};

/** What a request of each model's demand takes of a replica of each of its variants in the mean, where it is finite. */
const workPerRequest = (snapshot: Snapshot | null): ReadonlyMap<string, number> =>
  new Map(
    (snapshot?.models ?? []).flatMap(({ demand, variants }) => {
      const rate = totalRate(demand);
      return variants.flatMap(({ name, throughputBeyondSlo }): [string, number][] => {
        const load = demand.reduce((sum, { arrivalRate }, row) => sum + arrivalRate / throughputBeyondSlo[row]!, 0);
        return Number.isFinite(load / rate) ? [[name, load / rate]] : [];
      });
    }),
  );
