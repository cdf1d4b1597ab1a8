import type { PlannerSettings } from '../planner/decide.ts';
import type { DemandRow, Plan } from '../vocabulary/planning-documents.ts';
import type { ReaderSettings } from '../workload/reader.ts';
import { snapshotFor } from './capacity.ts';
import { plannerPolicy } from './planner-policy.ts';
import type { Policy } from './policy.ts';
import { type PolicyOutcome, simulate, type World } from './policy-run.ts';
import type { ProfileSet } from './profile-sets.ts';
import { queuePolicy } from './queue-policy.ts';
import type { SimulatedVariant } from './replicas.ts';

export type ReadAndPlanSettings = PlannerSettings & ReaderSettings;

/** Everything but the policy. */
export interface Scenario extends Omit<World, 'initial' | 'variants' | 'profiles' | 'slo'> {
  readonly set: ProfileSet;
  readonly settings: ReadAndPlanSettings;
}

/** A policy may start with what the plan for the true demand of the first moment wants, headroom included. */
export const worldOf = (scenario: Scenario, variants: readonly SimulatedVariant[] = scenario.set.variants): World => {
  const { set, traffic, settings } = scenario;
  const world = { ...scenario, ...set, variants };
  const demand = traffic.demandAt(0).map((row) => ({ ...row, arrivalRate: row.arrivalRate * (1 + settings.headroom) }));
  return { ...world, initial: mixFor(demand, world) };
};

/** Replicas that the plan for a demand wants. */
export const mixFor = (demand: readonly DemandRow[], world: Omit<World, 'initial'>): ReadonlyMap<string, number> =>
  new Map(Object.entries(planFor(demand, world).models[0]?.replicas ?? {}));

const planFor = (demand: readonly DemandRow[], world: Omit<World, 'initial'>): Plan => world.solve(snapshotFor(demand, world));

export const planner = (
  name: string,
  { settings, solve, set, faults = [] }: Scenario,
  world: World,
  pinned?: ReadonlyMap<string, number>,
): Policy =>
  plannerPolicy({
    name,
    model: 'simulated',
    variants: world.variants,
    profiles: set.profiles,
    settings,
    solve,
    faults,
    ...(pinned === undefined ? {} : { pinned }),
  });

/** gpumix itself. */
export const runPlanner = async (scenario: Scenario): Promise<PolicyOutcome> => {
  const world = worldOf(scenario);
  return await simulate(world, planner('gpumix', scenario, world));
};

/** Attainments within half a percentage point count as alike. */
export const sameAttainment = 0.005;

/** The same planner with one GPU type alone: the cheapest of those that attain as much as the best of them. */
export const runBestSingle = async (scenario: Scenario): Promise<{ outcome: PolicyOutcome; variant: SimulatedVariant }> => {
  const runs = [];
  for (const variant of scenario.set.variants) {
    const world = worldOf(scenario, [variant]);
    runs.push({ variant, outcome: await simulate(world, planner(`${variant.gpu} alone`, scenario, world)) });
  }
  const best = Math.max(...runs.map(({ outcome }) => outcome.attainment));
  return runs
    .filter(({ outcome }) => outcome.attainment >= best - sameAttainment)
    .reduce((cheapest, run) => (run.outcome.cost < cheapest.outcome.cost ? run : cheapest));
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
  return await simulate({ ...world, initial }, planner('static peak', scenario, world, initial));
};

/** HPA on the queue length of one GPU type, up to twice the peak. */
export const runQueue = async (scenario: Scenario, variant: SimulatedVariant): Promise<PolicyOutcome> => {
  const world = { ...worldOf(scenario, [variant]), routing: 'load' as const };
  const most = 2 * (peakMix(scenario, world).get(variant.key) ?? 1);
  return await simulate(world, queuePolicy(`HPA on queue, ${variant.gpu}`, variant.key, Math.max(2, most)));
};

/** gpumix and the baselines that come with it. */
export const compare = async (scenario: Scenario): Promise<readonly PolicyOutcome[]> => {
  const gpumix = await runPlanner(scenario);
  const single = await runBestSingle(scenario);
  return [gpumix, single.outcome, await runStaticPeak(scenario), await runQueue(scenario, single.variant)];
};
