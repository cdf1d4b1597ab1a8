import { element } from '../../vocabulary/list-element.ts';
import { type Forgone, mixWorthMovingTo } from './mix-worth-moving-to.ts';
import { givesUp, nothingUnwanted, type UnwantedStarts, unwantedStartsAfter } from './unwanted-starts.ts';
import type { Mixes, VariantTransition, WantedReplicas } from './variant-transition.ts';

export interface TransitionSettings {
  /** A target falls only to the most that was wanted for so long (s). */
  readonly holdDownSeconds: number;
  /** A mix for which some variant must grow is worth changing to only if it saves this share of the cost. */
  readonly switchSavings: number;
  /** Growth beyond this factor waits until another plan wants it too: one broken record must not buy a fleet. */
  readonly growAtOnce: number;
}

export interface Transition {
  /** Replicas to publish. */
  readonly targets: ReadonlyMap<string, number>;
  /** What to remember as wanted. */
  readonly wanted: ReadonlyMap<string, readonly WantedReplicas[]>;
  /** What was forgone so far by not changing to another mix. */
  readonly forgone: Forgone;
  /** What became of replicas that started and were not wanted any more. */
  readonly unwanted: UnwantedStarts;
  /** There is no stock for what is given up and what replaces it, and nothing to spare: all stays as it is. */
  readonly blocked: boolean;
}

/**
 * Up at once, down after the hold-down time, to another mix only if that is worth it, and never with a gap: what is given
 * up stays until what replaces it is Ready. What still starts is given up earlier where that was not missed before.
 */
export const transition = (
  steps: readonly VariantTransition[],
  mixes: Mixes,
  now: number,
  { holdDownSeconds, switchSavings, growAtOnce }: TransitionSettings,
  before?: Forgone,
  unwantedBefore: UnwantedStarts = nothingUnwanted,
): Transition => {
  const { mix: toward, forgone } = mixWorthMovingTo(steps, mixes, switchSavings, before, now);
  const wantedNow = (step: VariantTransition): number => toward.get(step.key) ?? step.plannedReplicas;
  const since = now - holdDownSeconds;
  const wanted = new Map(
    steps.map((step) => [step.key, [...sinceThen(step.wanted, since), { at: now, replicas: wantedNow(step) }]]),
  );
  const loweredAfter = (seconds: number) => (step: VariantTransition) =>
    notBelowWanted(cappedGrowth(step, wantedNow(step), growAtOnce), step.askedReplicas, wanted.get(step.key)!, now - seconds);
  const [lowered, loweredSooner] = [loweredAfter(holdDownSeconds), loweredAfter(unwantedAfterShare * holdDownSeconds)];
  const targetsBy = (target: (step: VariantTransition) => number) => new Map(steps.map((step) => [step.key, target(step)]));
  const afterHoldDown = targetsBy(lowered);
  const startsGivenUp = targetsBy((step) => Math.max(loweredSooner(step), Math.min(lowered(step), step.ready)));
  const wants = targetsBy(wantedNow);
  const unwanted = unwantedStartsAfter(unwantedBefore, { steps, wants, afterHoldDown, startsGivenUp, now });
  return { ...withoutGap(steps, givesUp(unwanted) ? startsGivenUp : afterHoldDown, mixes), wanted, forgone, unwanted };
};

/** Replicas that start are not wanted if no plan wanted them for this part of the hold-down time. */
const unwantedAfterShare = 0.5;

/** What was wanted since then, and last before it. */
const sinceThen = (wanted: readonly WantedReplicas[], since: number): readonly WantedReplicas[] =>
  wanted.slice(
    Math.max(
      0,
      wanted.findLastIndex(({ at }) => at <= since),
    ),
  );

/**
 * A target falls only to the most that any plan of the hold-down time wanted. What a plan wanted holds until the next
 * one, as ticks may fail to come: so the plan before the hold-down time counts too. Until there are plans as old as
 * that, nothing falls.
 */
const notBelowWanted = (wants: number, askedReplicas: number, wanted: readonly WantedReplicas[], since: number): number => {
  const reachesBack = wanted.some(({ at }) => at <= since);
  const meanwhile = wanted.slice(0, -1).filter((_, index) => element(wanted, index + 1).at > since);
  return Math.max(wants, reachesBack ? 0 : askedReplicas, ...meanwhile.map(({ replicas }) => replicas));
};

/** Growth beyond `growAtOnce` only where the plan before wanted it too. */
const cappedGrowth = ({ askedReplicas, wanted }: VariantTransition, wants: number, growAtOnce: number): number => {
  if (askedReplicas === 0) return wants;
  const most = Math.floor(growAtOnce * askedReplicas);
  const last = wanted.at(-1)?.replicas ?? 0;
  return last > most ? wants : Math.min(wants, most);
};

/**
 * While some variants start replicas, no other shrinks until what is Ready carries the demand without what it gives up. Where
 * there is no stock for both, they go in steps.
 */
const withoutGap = (
  steps: readonly VariantTransition[],
  targets: ReadonlyMap<string, number>,
  mixes: Mixes,
): Pick<Transition, 'targets' | 'blocked'> => {
  const target = ({ key }: VariantTransition): number => targets.get(key) ?? 0;
  const shrinks = (step: VariantTransition): boolean => target(step) < step.askedReplicas;
  const startsReplicas = (step: VariantTransition): boolean => !shrinks(step) && target(step) > step.ready;
  const growthFits = (mix: ReadonlyMap<string, number>): boolean =>
    steps.every(({ key, askedReplicas }) => mix.get(key)! <= askedReplicas || mixes.fits(mix, key));
  if (!steps.some(startsReplicas) || !steps.some(shrinks))
    return growthFits(targets) ? { targets, blocked: false } : inSteps(steps, targets, mixes);
  const soon = new Map(steps.map((step) => [step.key, startsReplicas(step) ? step.ready : target(step)]));
  if (mixes.carries(soon)) return { targets, blocked: false };
  const both = new Map(steps.map((step) => [step.key, Math.max(target(step), step.askedReplicas)]));
  return growthFits(both) ? { targets: both, blocked: false } : inSteps(steps, targets, mixes);
};

/**
 * What of the Ready replicas the demand does not need is given up, and what takes its place grows as far as there is stock
 * then. Blocked where nothing can be spared and nothing is on its way.
 */
const inSteps = (
  steps: readonly VariantTransition[],
  targets: ReadonlyMap<string, number>,
  mixes: Mixes,
): Pick<Transition, 'targets' | 'blocked'> => {
  const target = ({ key }: VariantTransition): number => targets.get(key) ?? 0;
  const needed = mixes.cheapestWithin(
    new Map(steps.map(({ key, ready, askedReplicas }) => [key, Math.min(ready, askedReplicas)])),
  );
  const kept = ({ key, askedReplicas }: VariantTransition): number => (needed === null ? askedReplicas : (needed.get(key) ?? 0));
  const next = new Map(steps.map((step) => [step.key, Math.min(step.askedReplicas, Math.max(target(step), kept(step)))]));
  for (const step of steps)
    for (let more = next.get(step.key)! + 1; more <= target(step); more += 1) {
      if (!mixes.fits(new Map([...next, [step.key, more]]), step.key)) break;
      next.set(step.key, more);
    }
  const moves = steps.some((step) => next.get(step.key)! < step.askedReplicas || next.get(step.key)! > step.ready);
  return { targets: next, blocked: steps.some((step) => target(step) < step.askedReplicas) && !moves };
};
