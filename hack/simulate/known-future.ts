import type { Scenario } from '../../src/simulation/compare.ts';
import { mixFor, worldOf } from '../../src/simulation/compare.ts';
import { type PolicyOutcome, simulate } from '../../src/simulation/policy-run.ts';
import type { Traffic } from '../../src/simulation/traffic.ts';
import { clairvoyantPath } from './clairvoyant.ts';
import { pathPolicy } from './path-policy.ts';

/** So many times the demand is planned for, by those who know it: less than 1 where a few late requests may be. */
const factors = [0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.35, 1.5] as const;

/**
 * The cheapest fleets that are known to attain a share of requests within the SLO: paths of somebody who knows the future,
 * without a hold-down, for several factors of the demand, played on the same engines. No bound: something cheaper may exist.
 * @returns the cheapest that attains it, or the one that attains most
 */
export const cheapestKnown = async (given: Scenario, share: number): Promise<PolicyOutcome> =>
  await leastThatAttains(share, async (factor) => {
    const stepSeconds = given.traffic.seconds > 7200 ? 120 : 30;
    const input = { ...given.set, traffic: times(given.traffic, factor), holdDownSeconds: 0, stepSeconds };
    const { mixes } = clairvoyantPath(input);
    const world = worldOf(given);
    const initial = new Map(world.variants.map(({ key }, g) => [key, mixes[0]![g]!]));
    return await simulate(
      { ...world, initial },
      pathPolicy(`cheapest known, demand x ${factor}`, { ...input, ahead: true }, mixes, world),
    );
  });

/**
 * What can be reached by somebody who learns of each change when it begins, and pays the startup: the plan for the demand of the
 * moment, times a factor, held as long as gpumix holds.
 */
export const reachable = async (given: Scenario, share: number): Promise<PolicyOutcome> =>
  await leastThatAttains(share, async (factor) => {
    const stepSeconds = given.traffic.seconds > 7200 ? 60 : 15;
    const traffic = times(given.traffic, factor);
    const world = worldOf(given);
    const mixes = Array.from({ length: Math.ceil(traffic.seconds / stepSeconds) }, (_, step) => {
      const mix = mixFor(traffic.demandAt(step * stepSeconds), world);
      return world.variants.map(({ key }) => mix.get(key) ?? 0);
    });
    const initial = new Map(world.variants.map(({ key }, g) => [key, mixes[0]![g]!]));
    const input = { ...given.set, traffic, holdDownSeconds: given.settings.holdDownSeconds, stepSeconds, ahead: false };
    return await simulate({ ...world, initial }, pathPolicy(`reachable, demand x ${factor}`, input, mixes, world));
  });

/** By halving: more is never less within the SLO, but for noise. */
const leastThatAttains = async (share: number, run: (factor: number) => Promise<PolicyOutcome>): Promise<PolicyOutcome> => {
  let [low, high] = [0, factors.length - 1];
  let best = await run(factors[high]!);
  if (best.attainment < share) return best;
  while (low < high) {
    const middle = (low + high) >> 1;
    const outcome = await run(factors[middle]!);
    if (outcome.attainment >= share) [best, high] = [outcome, middle];
    else low = middle + 1;
  }
  return best;
};

const times = (traffic: Traffic, factor: number): Traffic => ({
  ...traffic,
  demandAt: (time) => traffic.demandAt(time).map((row) => ({ ...row, arrivalRate: row.arrivalRate * factor })),
});
