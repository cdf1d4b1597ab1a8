import { element } from '../../vocabulary/list-element.ts';
/** One variant on the way from what is asked for now to what the plan wants. */
export interface VariantTransition {
  readonly key: string;
  /** Of one replica (money/h). */
  readonly price: number;
  /** What the plan wants. */
  readonly planned: number;
  /** What was published last, or else what runs. */
  readonly current: number;
  readonly ready: number;
  /** What earlier plans wanted, oldest first: those of the hold-down time, and the one before it. */
  readonly recent: readonly WantedReplicas[];
}

/** Replicas that a plan wanted, and when (Unix s). */
export interface WantedReplicas {
  readonly at: number;
  readonly replicas: number;
}

export interface TransitionSettings {
  /** A target falls only to the most that was wanted for so long (s). */
  readonly holdDownSeconds: number;
  /** A mix for which some variant must grow is worth changing to only if it saves this share of the cost. */
  readonly switchSavings: number;
  /** Growth beyond this factor waits until another plan wants it too: one broken record must not buy a fleet. */
  readonly growAtOnce: number;
}

/** What mixes can do, by key; a mix lists every variant. */
export interface Mixes {
  /** Whether the demand is served by exactly these replicas; `halfHeadroom`: with half of its headroom. */
  carries(mix: ReadonlyMap<string, number>, halfHeadroom?: boolean): boolean;
  /** Whether there is stock for what one variant has, beside the rest of the mix. */
  fits(mix: ReadonlyMap<string, number>, key: string): boolean;
  /** The cheapest mix that serves the demand with at most these replicas; null = none does. */
  cheapestWithin(most: ReadonlyMap<string, number>): ReadonlyMap<string, number> | null;
  /** The cheapest one with at least these. */
  cheapestAbove(least: ReadonlyMap<string, number>): ReadonlyMap<string, number> | null;
  /** The cheapest one of all with half of the headroom to spare. */
  roomy(): ReadonlyMap<string, number> | null;
}

export interface Transition {
  /** Replicas to publish. */
  readonly targets: ReadonlyMap<string, number>;
  /** What to remember as wanted. */
  readonly recent: ReadonlyMap<string, readonly WantedReplicas[]>;
  /** There is no stock for what is given up and what replaces it, and nothing to spare: all stays as it is. */
  readonly blocked: boolean;
}

/**
 * Up at once, down after the hold-down time, to another mix only if that is worth it, and never with a gap: what is given
 * up stays until what replaces it is Ready.
 */
export const transition = (
  steps: readonly VariantTransition[],
  mixes: Mixes,
  now: number,
  { holdDownSeconds, switchSavings, growAtOnce }: TransitionSettings,
): Transition => {
  const planned = worthwhile(steps, mixes, switchSavings);
  const wanted = (step: VariantTransition): number => planned.get(step.key) ?? step.planned;
  const since = now - holdDownSeconds;
  const recent = new Map(
    steps.map((step) => [step.key, [...sinceThen(step.recent, since), { at: now, replicas: wanted(step) }]]),
  );
  const afterHoldDown = new Map(
    steps.map((step) => [
      step.key,
      notBelowRecent(confirmed(step, wanted(step), growAtOnce), step.current, recent.get(step.key)!, since),
    ]),
  );
  return { ...withoutGap(steps, afterHoldDown, mixes), recent };
};

/** What was wanted since then, and last before it. */
const sinceThen = (wanted: readonly WantedReplicas[], since: number): readonly WantedReplicas[] =>
  wanted.slice(
    Math.max(
      0,
      wanted.findLastIndex(({ at }) => at <= since),
    ),
  );

/**
 * A target falls only to the most that any plan of the hold-down time wanted. What a plan wanted holds until the next one, as ticks may
 * fail to come: so the plan before the hold-down time counts too. Until there are plans as old as that, nothing falls.
 */
const notBelowRecent = (wants: number, current: number, recent: readonly WantedReplicas[], since: number): number => {
  const reachesBack = recent.some(({ at }) => at <= since);
  const meanwhile = recent.slice(0, -1).filter((_, index) => element(recent, index + 1).at > since);
  return Math.max(wants, reachesBack ? 0 : current, ...meanwhile.map(({ replicas }) => replicas));
};

/**
 * The mix to move to. A plan that grows some variant and saves less than `switchSavings` is not followed. Instead stays
 *
 * 1. the cheapest part of today's replicas that carries the demand; else
 * 2. today's replicas, if they carry it with half of its headroom: the headroom is there to take noise; else
 * 3. today's replicas and the least that has to be added.
 *
 * In the first two cases another mix must save with something to spare. Noise would undo the change before it is done otherwise,
 * and both mixes would be paid.
 */
const worthwhile = (steps: readonly VariantTransition[], mixes: Mixes, switchSavings: number): ReadonlyMap<string, number> => {
  const planned = new Map(steps.map((step) => [step.key, step.planned]));
  const grows = steps.some(({ planned: wants, current }) => wants > current);
  if (!grows || switchSavings <= 0) return planned;
  const current = new Map(steps.map((step) => [step.key, step.current]));
  const cost = (mix: ReadonlyMap<string, number>) => steps.reduce((sum, { key, price }) => sum + price * (mix.get(key) ?? 0), 0);
  const suffices = mixes.cheapestWithin(current) ?? (mixes.carries(current, true) ? current : null);
  const stays = suffices ?? mixes.cheapestAbove(current);
  if (stays === null) return planned;
  const saves = (mix: ReadonlyMap<string, number>): boolean => cost(mix) <= (1 - switchSavings) * cost(stays);
  if (!saves(planned)) return stays;
  if (suffices === null) return planned;
  const roomy = mixes.roomy();
  return roomy !== null && saves(roomy) ? roomy : stays;
};

const confirmed = ({ current, recent }: VariantTransition, wants: number, growAtOnce: number): number => {
  if (current === 0) return wants;
  const most = Math.floor(growAtOnce * current);
  const last = recent.at(-1)?.replicas ?? 0;
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
): Omit<Transition, 'recent'> => {
  const target = ({ key }: VariantTransition): number => targets.get(key) ?? 0;
  const shrinks = (step: VariantTransition): boolean => target(step) < step.current;
  const starts = (step: VariantTransition): boolean => !shrinks(step) && target(step) > step.ready;
  const growthFits = (mix: ReadonlyMap<string, number>): boolean =>
    steps.every(({ key, current }) => mix.get(key)! <= current || mixes.fits(mix, key));
  if (!steps.some(starts) || !steps.some(shrinks))
    return growthFits(targets) ? { targets, blocked: false } : inSteps(steps, targets, mixes);
  const soon = new Map(steps.map((step) => [step.key, starts(step) ? step.ready : target(step)]));
  if (mixes.carries(soon)) return { targets, blocked: false };
  const both = new Map(steps.map((step) => [step.key, Math.max(target(step), step.current)]));
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
): Omit<Transition, 'recent'> => {
  const target = ({ key }: VariantTransition): number => targets.get(key) ?? 0;
  const needed = mixes.cheapestWithin(new Map(steps.map(({ key, ready, current }) => [key, Math.min(ready, current)])));
  const kept = ({ key, current }: VariantTransition): number => (needed === null ? current : (needed.get(key) ?? 0));
  const next = new Map(steps.map((step) => [step.key, Math.min(step.current, Math.max(target(step), kept(step)))]));
  for (const step of steps)
    for (let more = next.get(step.key)! + 1; more <= target(step); more += 1) {
      if (!mixes.fits(new Map([...next, [step.key, more]]), step.key)) break;
      next.set(step.key, more);
    }
  const moves = steps.some((step) => next.get(step.key)! < step.current || next.get(step.key)! > step.ready);
  return { targets: next, blocked: steps.some((step) => target(step) < step.current) && !moves };
};
