import type { PlannerSettings } from '../planner/decide.ts';
import type { ModelReport } from '../planner/report/tick-outcome.ts';
import type { Profile } from '../profiles/profile-document.ts';
import { servedByProfile } from '../profiles/served-demand.ts';
import { type DemandRow, type Plan, totalRate } from '../vocabulary/planning-documents.ts';
import type { ReaderSettings } from '../workload/reader.ts';
import { snapshotFor } from './capacity.ts';
import { hpaPolicy, inFlightMetric, queueMetric, requestRateMetric } from './hpa-policy.ts';
import { type PlannerParts, plannerPolicy } from './planner-policy.ts';
import type { Policy } from './policy.ts';
import { type PolicyOutcome, simulate, type World } from './policy-run.ts';
import type { ProfileSet } from './profile-sets.ts';
import type { SimulatedVariant } from './replicas.ts';

export type ReadAndPlanSettings = PlannerSettings & ReaderSettings;

/** Everything but the policy. */
export interface Scenario extends Omit<World, 'initial' | 'variants' | 'profiles' | 'slo'> {
  readonly set: ProfileSet;
  readonly settings: ReadAndPlanSettings;
  /** Told of the model after each of the planner's ticks. */
  readonly onReport?: (report: ModelReport) => void;
}

/** Extra demand that fleets start with: nothing is measured yet. */
const headroomAtStart = 0.1;

/** A policy may start with what the plan for the true demand of the first moment wants, and some headroom. */
export const worldOf = (scenario: Scenario, variants: readonly SimulatedVariant[] = scenario.set.variants): World => {
  const { set, traffic, settings } = scenario;
  const world = { ...scenario, ...set, variants };
  const headroom = Math.max(headroomAtStart, settings.headroom);
  const demand = traffic.demandAt(0).map((row) => ({ ...row, arrivalRate: row.arrivalRate * (1 + headroom) }));
  return { ...world, initial: mixFor(demand, world) };
};

/** Replicas that the plan for a demand wants. */
export const mixFor = (demand: readonly DemandRow[], world: Omit<World, 'initial'>): ReadonlyMap<string, number> =>
  new Map(Object.entries(planFor(demand, world).models[0]?.replicas ?? {}));

const planFor = (demand: readonly DemandRow[], world: Omit<World, 'initial'>): Plan =>
  world.solve(snapshotFor(demand, world, undefined, world.stock(0)));

export const planner = (
  name: string,
  { settings, solve, set, faults = [], onReport }: Scenario,
  world: World,
  fixed: Pick<PlannerParts, 'pinned' | 'warm'> = {},
): Policy =>
  plannerPolicy({
    name,
    model: 'simulated',
    variants: world.variants,
    profiles: set.profiles,
    settings,
    solve,
    faults,
    ...fixed,
    ...(onReport === undefined ? {} : { onReport }),
  });

/** gpumix itself. */
export const runPlanner = async (scenario: Scenario): Promise<PolicyOutcome> => {
  const world = worldOf(scenario);
  return await simulate(world, planner('gpumix', scenario, world));
};

/** Attainments within half a percentage point count as alike. */
export const sameAttainment = 0.005;

/** The same planner with each GPU type alone. */
export const runEachType = async (scenario: Scenario): Promise<readonly PolicyOutcome[]> => {
  const outcomes = [];
  for (const variant of scenario.set.variants) {
    const world = worldOf(scenario, [variant]);
    outcomes.push(await simulate(world, planner(`${variant.gpu} alone`, scenario, world)));
  }
  return outcomes;
};

/** What the plan for the busiest minute wants. */
const peakMix = (scenario: Scenario, world: World): ReadonlyMap<string, number> => {
  const minutes = Array.from({ length: Math.ceil(scenario.traffic.seconds / 60) }, (_, minute) => 60 * minute);
  const peak = minutes
    .map((time) => planFor(scenario.traffic.demandAt(time), world))
    .reduce((highest, plan) => (plan.cost > highest.cost ? plan : highest));
  return new Map(Object.entries(peak.models[0]?.replicas ?? {}));
};

/** Fixed at the peak. */
export const runStaticPeak = async (scenario: Scenario): Promise<PolicyOutcome> => {
  const world = worldOf(scenario);
  const initial = peakMix(scenario, world);
  return await simulate({ ...world, initial }, planner('static peak', scenario, world, { pinned: initial }));
};

/**
 * gpumix with one replica of the cheapest type that is kept while nothing comes, by its label `min_replicas`; nothing where the
 * traffic never pauses so long that the model is idle.
 */
export const runWarm = async (scenario: Scenario): Promise<readonly PolicyOutcome[]> => {
  if (!pauses(scenario)) return [];
  const world = worldOf(scenario);
  const cheapest = world.variants.reduce((a, b) => (b.price < a.price ? b : a));
  const initial = new Map([...world.initial, [cheapest.key, Math.max(1, world.initial.get(cheapest.key) ?? 0)]]);
  const warm = new Map([[cheapest.key, 1]]);
  return [await simulate({ ...world, initial }, planner(`gpumix, one ${cheapest.gpu} kept warm`, scenario, world, { warm }))];
};

/** Whether the model is idle at some time. */
export const pauses = ({ traffic, settings }: Pick<Scenario, 'traffic' | 'settings'>): boolean => {
  let last = 0;
  for (const { time } of [...traffic.requests, { time: traffic.seconds }]) {
    if (time - last > settings.idleAfterSeconds) return true;
    last = time;
  }
  return false;
};

/** Of those that attain about as much as any the cheapest. */
export const cheapestOfBest = (outcomes: readonly PolicyOutcome[]): PolicyOutcome => {
  const most = Math.max(...outcomes.map(({ attainment }) => attainment));
  return outcomes
    .filter(({ attainment }) => attainment >= most - sameAttainment)
    .reduce((best, outcome) => (outcome.cost < best.cost ? outcome : best));
};

/** In front of those who have no gateway of ours: the fewest requests in flight, first come first served. */
export const withPlainRouter = ({ serveLate: _, ...world }: World): World => ({ ...world, routerKnowledge: 'load' });

/** Share of what a replica serves within the SLO that an HPA aims at. */
const hpaLoad = 0.8;

/**
 * Plain HPAs, up to twice the peak: on the queue, on requests in flight and on requests per second, each with the GPU type that
 * it does best with. The targets of the last two are those of a benchmark of the first minute's traffic: so much of the rate that
 * one replica carries, and of the requests that it then has in flight.
 */
export const runHpas = async (scenario: Scenario): Promise<readonly PolicyOutcome[]> => {
  const byMetric = new Map<string, PolicyOutcome[]>();
  for (const variant of scenario.set.variants) {
    const world = withPlainRouter(worldOf(scenario, [variant]));
    const most = Math.max(2, 2 * (peakMix(scenario, world).get(variant.key) ?? 1));
    const { rate, inFlight } = oneReplica(scenario.traffic.demandAt(0), scenario.set.profiles.get(variant.key)!);
    if (rate === 0) continue;
    const timed = inFlight === null ? [] : [inFlightMetric(hpaLoad * inFlight)];
    for (const metric of [queueMetric, ...timed, requestRateMetric(hpaLoad * rate)]) {
      const outcome = await simulate(world, hpaPolicy(`HPA on ${metric.name}, ${variant.gpu}`, variant.key, metric, most));
      byMetric.set(metric.name, [...(byMetric.get(metric.name) ?? []), outcome]);
    }
  }
  return [...byMetric.values()].map(cheapestOfBest);
};

/**
 * What one replica carries of a mixture of sizes (req/s), and how many requests that has in flight, where the profile tells
 * times.
 */
const oneReplica = (
  demand: readonly DemandRow[],
  profile: Profile,
): { readonly rate: number; readonly inFlight: number | null } => {
  const { throughputBeyondSlo, e2eSeconds } = servedByProfile(profile, demand);
  const load = demand.reduce((sum, { arrivalRate }, row) => sum + arrivalRate / throughputBeyondSlo[row]!, 0);
  const rate = totalRate(demand) / load;
  const seconds = e2eSeconds?.reduce((sum, time, row) => sum + time * demand[row]!.arrivalRate, 0);
  return { rate, inFlight: seconds === undefined ? null : (rate * seconds) / totalRate(demand) };
};

/** gpumix and the baselines that come with it. */
export const compare = async (scenario: Scenario): Promise<readonly PolicyOutcome[]> => [
  await runPlanner(scenario),
  ...(await runWarm(scenario)),
  ...(await runEachType(scenario)),
  await runStaticPeak(scenario),
  ...(await runHpas(scenario)),
];
