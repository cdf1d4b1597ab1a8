import type { VariantTransition } from './variant-transition.ts';

/**
 * What became of replicas that were still starting when no plan wanted them any more. Where demand rises for shorter than a
 * startup, all of them come too late and are paid through the hold-down time. Where it soon comes back they are the only ones
 * that come in time. Nobody knows beforehand which of the two it is, so they are given up only where they were not missed before.
 */
export interface UnwantedStarts {
  /** When they were seen first, and the price of all others that were asked for (Unix s, money/h); null = none of late. */
  readonly seen: { readonly at: number; readonly cost: number } | null;
  /** How many times in a row they were not missed: nothing dearer than the others was wanted for some startups. */
  readonly unmissed: number;
}

/** The targets of all variants, with and without what only starts and is not wanted any more. */
export interface StartsToJudge {
  readonly steps: readonly VariantTransition[];
  readonly wants: ReadonlyMap<string, number>;
  readonly afterHoldDown: ReadonlyMap<string, number>;
  readonly startsGivenUp: ReadonlyMap<string, number>;
  readonly now: number;
}

/** Replicas are missed if they are wanted again within so many startups. */
const missedWithinStartups = 4;
/** Once may be by chance. */
const enoughUnmissed = 2;

export const nothingUnwanted: UnwantedStarts = { seen: null, unmissed: 0 };

export const givesUp = ({ unmissed }: UnwantedStarts): boolean => unmissed >= enoughUnmissed;

/** What is known with the targets of now. Called again for the same time it changes nothing. */
export const unwantedStartsAfter = (
  before: UnwantedStarts,
  { steps, wants, afterHoldDown, startsGivenUp, now }: StartsToJudge,
): UnwantedStarts => {
  const { seen, unmissed } = withVerdict(before, costOf(steps, wants), missedWithinStartups * longestStartup(steps), now);
  const unwanted = steps.some(({ key }) => startsGivenUp.get(key)! < afterHoldDown.get(key)!);
  return { seen: seen === null && unwanted ? { at: now, cost: costOf(steps, startsGivenUp) } : seen, unmissed };
};

const withVerdict = ({ seen, unmissed }: UnwantedStarts, cost: number, patienceSeconds: number, now: number): UnwantedStarts => {
  if (seen === null) return { seen, unmissed };
  if (now - seen.at > patienceSeconds) return { seen: null, unmissed: unmissed + 1 };
  return cost > seen.cost ? { seen: null, unmissed: 0 } : { seen, unmissed };
};

const longestStartup = (steps: readonly VariantTransition[]): number =>
  steps.reduce((longest, { startupSeconds }) => Math.max(longest, startupSeconds), 0);

/** Money/h. */
const costOf = (steps: readonly VariantTransition[], mix: ReadonlyMap<string, number>): number =>
  steps.reduce((sum, { key, price }) => sum + price * (mix.get(key) ?? 0), 0);
