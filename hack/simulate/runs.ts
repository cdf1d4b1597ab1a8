import {
  runBestSingle,
  runPlanner,
  runQueue,
  runStaticPeak,
  type Scenario,
  worldOf,
} from '../../src/simulation/compare.ts';
import { type Outcome, simulate } from '../../src/simulation/simulate.ts';
import { dayCycle, ramp, spike, steady, step } from '../../src/simulation/traffic.ts';
import { type KpaSettings, kpaDefaults, kpaSmoothed } from './aibrix-kpa.ts';
import { aibrixPolicy } from './aibrix-policy.ts';
import { clairvoyantBound } from './clairvoyant.ts';
import { azure, scenario, synthetic } from './scenarios.ts';

export interface Result {
  readonly scenario: string;
  /** gpumix first. */
  readonly outcomes: readonly Outcome[];
  /** Money. */
  readonly clairvoyant: number;
}

const hour = 3600;
const scenarios: Readonly<Record<string, () => Scenario>> = {
  'steady 10 req/s': () => scenario(synthetic(steady(10), hour)),
  'steady 10 req/s, E2E SLO': () => scenario(synthetic(steady(10), hour), { set: 'llama-8b-e2e' }),
  'step 10 to 40 req/s': () => scenario(synthetic(step(10, 40, 900), hour)),
  'ramp 10 to 40 req/s': () => scenario(synthetic(ramp(10, 40, 900, 2700), hour)),
  'spike of 30 s, 10 to 40 req/s': () => scenario(synthetic(spike(10, 40, 1800, 30), hour)),
  "a day's cycle, 5 to 20 req/s": () => scenario(synthetic(dayCycle(5, 20), 24 * hour)),
  'engines 20 % slower, 20 req/s': () => scenario(synthetic(steady(20), hour), { slowdown: 1.25 }),
  'Azure traces, 12 copies, specialists': () => scenario(azure(12, 1800), { set: 'specialists' }),
  'Azure traces, 12 copies': () => scenario(azure(12, 1800)),
};

/** gpumix and all baselines in each scenario, one after the other. @param only the scenarios whose name contains this */
export async function* runAll(only = ''): AsyncGenerator<Result> {
  for (const [name, make] of Object.entries(scenarios)) if (name.includes(only)) yield await run(name, make());
}

const run = async (name: string, given: Scenario): Promise<Result> => {
  const gpumix = await runPlanner(given);
  const single = await runBestSingle(given);
  return {
    scenario: name,
    outcomes: [
      gpumix,
      single.outcome,
      await runStaticPeak(given),
      await runQueue(given, single.variant),
      await runAibrix('AIBrix, KPA defaults', given, kpaDefaults),
      await runAibrix('AIBrix, KPA smoothed', given, kpaSmoothed),
      await enoughAibrix(given, gpumix.attainment),
    ],
    clairvoyant: clairvoyantOf(given),
  };
};

export const runAibrix = async (name: string, given: Scenario, settings: KpaSettings): Promise<Outcome> => {
  const world = { ...worldOf(given), routing: 'load' as const };
  const variants = world.variants.map(({ key }) => ({ key, profile: given.set.profiles.get(key)! }));
  return await simulate(world, aibrixPolicy(name, variants, world.initial, settings));
};

/** With more headroom, by a smaller target value: the least of a few that attains as much as gpumix within half a point, or the last. */
const enoughAibrix = async (given: Scenario, attainment: number): Promise<Outcome> => {
  let last: Outcome | null = null;
  for (const targetValue of [60, 35]) {
    last = await runAibrix(`AIBrix, KPA smoothed, target ${targetValue}`, given, { ...kpaSmoothed, targetValue });
    if (last.attainment >= attainment - 0.005) break;
  }
  return last!;
};

export const clairvoyantOf = ({ traffic, set, settings }: Scenario): number =>
  clairvoyantBound({
    traffic,
    variants: set.variants,
    profiles: set.profiles,
    holdDownSeconds: settings.holdDownSeconds,
    stepSeconds: traffic.seconds > 7200 ? 120 : 30,
  });
