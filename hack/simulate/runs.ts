import { extrapolatedShare } from '../../src/profiles/served-demand.ts';
import {
  cheapestOfBest,
  runEachType,
  runHpas,
  runPlanner,
  runStaticPeak,
  type Scenario,
  sameAttainment,
  withPlainRouter,
  worldOf,
} from '../../src/simulation/compare.ts';
import { type PolicyOutcome, simulate } from '../../src/simulation/policy-run.ts';
import { dayCycle, ramp, spike, steady, step } from '../../src/simulation/traffic.ts';
import { type KpaSettings, kpaDefaults, kpaSmoothed } from './aibrix-kpa.ts';
import { aibrixPolicy } from './aibrix-policy.ts';
import { clairvoyantPath } from './clairvoyant.ts';
import { pathPolicy } from './path-policy.ts';
import { azure, scenario, synthetic } from './scenarios.ts';

export interface Result {
  readonly scenario: string;
  /** gpumix first. */
  readonly outcomes: readonly PolicyOutcome[];
  /** Money of the bound, and what its path of replicas attains. */
  readonly clairvoyant: { readonly cost: number; readonly attainment: number };
  /** Share of the demand outside the grid of each variant's profile, by GPU type; only of measured sets. */
  readonly extrapolated: Readonly<Record<string, number>>;
}

const hour = 3600;
/** How many times slower the engines of a scenario are than their profiles say: the throughput is 20 % below. */
const slowdown = 1.25;
const scenarios: Readonly<Record<string, () => Scenario>> = {
  'steady 10 req/s': () => scenario(synthetic(steady(10), hour)),
  'steady 10 req/s, E2E SLO': () => scenario(synthetic(steady(10), hour), { set: 'llama-8b-e2e' }),
  'step 10 to 40 req/s': () => scenario(synthetic(step(10, 40, 900), hour)),
  'ramp 10 to 40 req/s': () => scenario(synthetic(ramp(10, 40, 900, 2700), hour)),
  'spike of 30 s, 10 to 40 req/s': () => scenario(synthetic(spike(10, 40, 1800, 30), hour)),
  "a day's cycle, 5 to 20 req/s": () => scenario(synthetic(dayCycle(5, 20), 24 * hour)),
  'steady 20 req/s': () => scenario(synthetic(steady(20), hour)),
  'engines 20 % slower, 20 req/s': () => scenario(synthetic(steady(20), hour), { slowdown }),
  'Azure traces, 12 copies, specialists': () => scenario(azure(12, 1800), { set: 'specialists' }),
  'Azure traces, 12 copies': () => scenario(azure(12, 1800)),
  'Azure traces, 12 copies, Llama 8B measured': () => scenario(azure(12, 1800), { set: 'silicon-llama-8b' }),
  'Azure traces, 2 copies, Llama 70B measured': () => scenario(azure(2, 1800), { set: 'silicon-llama-70b' }),
  "Azure traces, 4 copies, AIBrix's A100 and A40": () => scenario(azure(4, 1800), { set: 'aibrix-llama2-7b' }),
};

/** What headroom costs, and what it saves where the engines are slower than their profiles. */
const pricedHeadrooms = [0, 0.2, 0.3];
const priced = new Set(['steady 20 req/s', 'engines 20 % slower, 20 req/s']);

/** Scenarios whose name contains this. */
export const scenarioNames = (only = ''): readonly string[] => Object.keys(scenarios).filter((name) => name.includes(only));

/**
 * gpumix and all baselines in each scenario, one after the other.
 * @param only the scenarios whose name contains this
 * @param tell is told the share of the scenario at hand that is done
 */
export async function* runAll(only = '', tell: (share: number) => void = () => {}): AsyncGenerator<Result> {
  for (const name of scenarioNames(only)) yield await run(name, scenarios[name]!(), tell);
}

/** Steps of a scenario: gpumix and its baselines, those that are priced or sought, and the bound. */
const steps = 9;

const run = async (name: string, given: Scenario, tell: (share: number) => void): Promise<Result> => {
  let done = 0;
  const told = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    tell(done / steps);
    done += 1;
    return await work();
  };
  const gpumix = await told(() => runPlanner(given));
  const singles = await told(() => runEachType(given));
  return {
    scenario: name,
    outcomes: [
      gpumix,
      ...(await told(() => (priced.has(name) ? withHeadrooms(given) : enoughGpumix(given, gpumix, cheapestOfBest(singles))))),
      ...singles,
      await told(() => runStaticPeak(given)),
      ...(await told(() => runHpas(given))),
      await told(() => runAibrix('AIBrix, KPA defaults', given, kpaDefaults)),
      await told(() => runAibrix('AIBrix, KPA smoothed', given, kpaSmoothed)),
      await told(() => enoughAibrix(given, gpumix.attainment)),
    ],
    clairvoyant: await told(() => clairvoyantOf(name.includes('slower') ? asTheyAre(given) : given)),
    extrapolated: extrapolatedOf(name, given),
  };
};

/** Where the best single type attains more: the least headroom of a few with which gpumix does, within half a point. */
const enoughGpumix = async (given: Scenario, gpumix: PolicyOutcome, single: PolicyOutcome): Promise<readonly PolicyOutcome[]> => {
  if (gpumix.attainment >= single.attainment - sameAttainment) return [];
  for (const headroom of [0.15, 0.2, 0.3, 0.4, 0.5]) {
    const outcome = await withHeadroom(given, headroom);
    if (outcome.attainment >= single.attainment - sameAttainment) return [outcome];
  }
  return [];
};

const withHeadroom = async (given: Scenario, headroom: number): Promise<PolicyOutcome> => ({
  ...(await runPlanner({ ...given, settings: { ...given.settings, headroom } })),
  policy: `gpumix, headroom ${Math.round(100 * headroom)} %`,
});

const withHeadrooms = async (given: Scenario): Promise<readonly PolicyOutcome[]> => {
  const outcomes: PolicyOutcome[] = [];
  for (const headroom of pricedHeadrooms) outcomes.push(await withHeadroom(given, headroom));
  return outcomes;
};

const extrapolatedOf = (name: string, { set, traffic }: Scenario): Result['extrapolated'] => {
  if (!/measured|AIBrix/.test(name)) return {};
  const demand = traffic.demandAt(traffic.seconds / 2);
  return Object.fromEntries(set.variants.map(({ key, gpu }) => [gpu, extrapolatedShare(set.profiles.get(key)!, demand)]));
};

export const runAibrix = async (name: string, given: Scenario, settings: KpaSettings): Promise<PolicyOutcome> => {
  const world = withPlainRouter(worldOf(given));
  const variants = world.variants.map(({ key }) => ({ key, profile: given.set.profiles.get(key)! }));
  return await simulate(world, aibrixPolicy(name, variants, world.initial, settings));
};

/**
 * With more headroom, by a smaller target value: the least of a few that attains as much as gpumix within half a point, or
 * the last.
 */
const enoughAibrix = async (given: Scenario, attainment: number): Promise<PolicyOutcome> => {
  let last: PolicyOutcome | null = null;
  for (const targetValue of [60, 35]) {
    last = await runAibrix(`AIBrix, KPA smoothed, target ${targetValue}`, given, { ...kpaSmoothed, targetValue });
    if (last.attainment >= attainment - sameAttainment) break;
  }
  return last!;
};

/** With the throughput that slower engines have in place of what their profiles say: who knows the future knows that too. */
const asTheyAre = ({ set, ...given }: Scenario): Scenario => {
  const profiles = [...set.profiles].map(
    ([key, profile]) => [key, { ...profile, throughput: profile.throughput.map((rate) => rate / slowdown) }] as const,
  );
  return { ...given, set: { ...set, profiles: new Map(profiles) } };
};

export const clairvoyantOf = async (given: Scenario): Promise<Result['clairvoyant']> => {
  const { traffic, set, settings } = given;
  const input = {
    traffic,
    variants: set.variants,
    profiles: set.profiles,
    holdDownSeconds: settings.holdDownSeconds,
    stepSeconds: traffic.seconds > 7200 ? 120 : 30,
  };
  const path = clairvoyantPath(input);
  const world = worldOf(given);
  const initial = new Map(world.variants.map(({ key }, g) => [key, path.mixes[0]![g]!]));
  const { attainment } = await simulate(
    { ...world, initial },
    pathPolicy('foreseeing', { ...input, ahead: true }, path.mixes, world),
  );
  return { cost: path.cost, attainment };
};
