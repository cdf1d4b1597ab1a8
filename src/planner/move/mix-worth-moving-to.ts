import type { Mixes, VariantTransition } from './variant-transition.ts';

/** What a model has paid so far for not changing to another mix. */
export interface Forgone {
  /** Savings that were forgone (money). */
  readonly money: number;
  /** As of when (Unix s). */
  readonly at: number;
}

export interface WorthMovingTo {
  readonly mix: ReadonlyMap<string, number>;
  readonly forgone: Forgone;
}

/** A tick that comes late counts no longer than this (s): what was saved meanwhile nobody knows. */
const longestTickSeconds = 60;
/** What was forgone is half forgotten after so long in which what runs is the cheapest (s). */
const halfLifeSeconds = 3600;

/**
 * The mix to move to. A plan that grows some variant and saves less than `switchSavings` is not followed. What stays instead:
 *
 * 1. the cheapest part of today's replicas that carries the demand; else
 * 2. today's replicas, if they carry it with half of its headroom: the headroom is there to take noise; else
 * 3. today's replicas and the least that has to be added.
 *
 * In the first two cases another mix must save with something to spare. Otherwise noise would undo the change before it is done,
 * and both mixes would be paid.
 *
 * A change also costs: what is added is paid from its start and serves only after its startup. Nobody knows how long the saving
 * will last. So it is forgone until what was forgone is what the change costs, as one rents until the rent has reached the price.
 * That is never more than twice what somebody pays who knows the future, and says: what has lasted so long will last as long
 * again.
 */
export const mixWorthMovingTo = (
  steps: readonly VariantTransition[],
  mixes: Mixes,
  switchSavings: number,
  before: Forgone | undefined,
  now: number,
): WorthMovingTo => {
  const { money, at } = before ?? { money: 0, at: now };
  const passed = Math.max(0, now - at);
  const plannedMix = new Map(steps.map((step) => [step.key, step.plannedReplicas]));
  const grows = steps.some(({ plannedReplicas, askedReplicas }) => plannedReplicas > askedReplicas);
  const moveTo = (mix: ReadonlyMap<string, number>, forgoneMoney: number): WorthMovingTo => ({
    mix,
    forgone: { money: forgoneMoney, at: now },
  });
  if (!grows || switchSavings <= 0) return moveTo(plannedMix, money * 2 ** (-passed / halfLifeSeconds));
  const current = new Map(steps.map((step) => [step.key, step.askedReplicas]));
  const suffices = mixes.cheapestWithin(current) ?? (mixes.carries(current, true) ? current : null);
  const stays = suffices ?? mixes.cheapestAbove(current);
  if (stays === null) return moveTo(plannedMix, 0);
  const other = suffices === null ? plannedMix : mixes.cheapestWithRoom();
  const saves = (mix: ReadonlyMap<string, number>): number => costOf(steps, stays) - costOf(steps, mix);
  const least = switchSavings * costOf(steps, stays);
  const forgoneMoney = money + ((other === null ? 0 : Math.max(0, saves(other))) * Math.min(passed, longestTickSeconds)) / 3600;
  if (other === null || saves(plannedMix) < least || saves(other) < least) return moveTo(stays, forgoneMoney);
  return forgoneMoney < startCost(steps, other) - startCost(steps, stays) ? moveTo(stays, forgoneMoney) : moveTo(other, 0);
};

/** Money/h. */
const costOf = (steps: readonly VariantTransition[], mix: ReadonlyMap<string, number>): number =>
  steps.reduce((sum, { key, price }) => sum + price * (mix.get(key) ?? 0), 0);

/** What a mix has beyond today's is paid for its startup before it serves (money). */
const startCost = (steps: readonly VariantTransition[], mix: ReadonlyMap<string, number>): number =>
  steps.reduce(
    (sum, { key, price, askedReplicas, startupSeconds }) =>
      sum + (price * Math.max(0, (mix.get(key) ?? 0) - askedReplicas) * startupSeconds) / 3600,
    0,
  );
