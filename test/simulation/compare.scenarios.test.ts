import { expect, test } from 'vitest';
import { scenario, synthetic } from '../../hack/simulate/scenarios.ts';
import { mixFor, planner, runPlanner, type Scenario, worldOf } from '../../src/simulation/compare.ts';
import { type PolicyOutcome, simulate } from '../../src/simulation/policy-run.ts';
import { dayCycle, ramp, spike, steady, step } from '../../src/simulation/traffic.ts';

const hour = 3600;

/** Money/h of the plan for the true demand at the start, times `scale`, without headroom. */
const planCost = (given: Scenario, scale = 1): number => {
  const world = worldOf(given);
  const demand = given.traffic.demandAt(0).map((row) => ({ ...row, arrivalRate: row.arrivalRate * scale }));
  const mix = mixFor(demand, world);
  return world.variants.reduce((sum, { key, price }) => sum + price * mix.get(key)!, 0);
};
const gapsFrom = ({ samples }: PolicyOutcome, from: number): number =>
  Math.max(...samples.filter(({ time }) => time >= from).map(({ gap }) => gap));
const readyAt = ({ samples }: PolicyOutcome, at: number): Readonly<Record<string, number>> =>
  samples.find(({ time }) => time === at)!.ready;

test('a fleet begins with no more GPUs than there are, and no type alone has more either', () => {
  const given = scenario(synthetic(steady(40), 600), { stock: () => ({ H100: 1, L40S: 2, 'A100-80': 0, L4: 0 }) });
  const gpus = (key: string) => worldOf(given).initial.get(key);
  expect([gpus('simulated/h100'), gpus('simulated/l40s'), gpus('simulated/a100-80')]).toEqual([1, 2, 0]);
  const l40s = given.set.variants.filter(({ gpu }) => gpu === 'L40S');
  expect(worldOf(given, l40s).initial.get('simulated/l40s')).toBe(2);
});

test('steady Poisson load: 2 changes in an hour, 99 % within the SLO, 1.15 times the plan for the true rate', async () => {
  const given = scenario(synthetic(steady(10), hour));
  const outcome = await runPlanner(given);
  expect(outcome.changesPerHour).toBeLessThanOrEqual(2);
  expect(outcome.attainment).toBeGreaterThanOrEqual(0.99);
  expect(outcome.cost).toBeLessThanOrEqual(1.15 * planCost(given));
  expect(outcome.capacityGap).toBe(0);
});

test('a step to four times the rate is carried two ticks, an HPA sync and a startup time later', async () => {
  const outcome = await runPlanner(scenario(synthetic(step(10, 40, 900), 2400)));
  // 22 s to the second tick, 15 s to the sync, 120 s to Ready; samples are 30 s apart.
  expect(gapsFrom(outcome, 900)).toBeGreaterThan(0.5);
  expect(gapsFrom(outcome, 1080)).toBe(0);
});

test('a ramp is followed with at most a quarter of the demand missing, and most of it within the SLO', async () => {
  const outcome = await runPlanner(scenario(synthetic(ramp(10, 40, 900, 2700), hour)));
  expect(outcome.capacityGap).toBeLessThan(0.25);
  expect(outcome.attainment).toBeGreaterThan(0.99);
  expect(outcome.unserved).toBe(0);
});

test('a spike of 30 s is over before help is there: it costs little, and the fleet is as before 10 minutes later', async () => {
  const given = scenario(synthetic(spike(10, 40, 900, 30), 2100));
  const outcome = await runPlanner(given);
  expect(outcome.cost).toBeLessThanOrEqual((1.35 * planCost(given) * 2100) / hour);
  expect(readyAt(outcome, 1530)).toEqual(readyAt(outcome, 870));
  expect(gapsFrom(outcome, 930)).toBe(0);
});

test("a day's cycle, six times as fast: within the SLO, and half of what a fleet for the peak costs by night", async () => {
  const outcome = await runPlanner(scenario(synthetic(dayCycle(5, 20, 4 * hour), 4 * hour)));
  expect(outcome.attainment).toBeGreaterThan(0.98);
  const spent = (from: number, to: number) =>
    outcome.samples.find(({ time }) => time === to)!.cost - outcome.samples.find(({ time }) => time === from)!.cost;
  expect(spent(0, 1800)).toBeLessThan(0.6 * spent(6300, 8100));
});

test.each(['short', 'long', 'services', 'mixed'])(
  'an E2E limit alone: the mixture %s is within the SLO, and what runs stays',
  async (mixture) => {
    const outcome = await runPlanner(scenario(synthetic(steady(10), hour, mixture), { set: 'llama-8b-e2e' }));
    expect(outcome.attainment).toBeGreaterThanOrEqual(0.99);
    expect(outcome.changesPerHour).toBeLessThanOrEqual(2);
  },
);

test('a swap of GPU types leaves no gap in Ready capacity', async () => {
  const given = scenario(synthetic(steady(30), 1800, 'services'), { set: 'specialists' });
  const world = worldOf(given);
  // It starts with one type alone, which costs a fifth more than the best mix.
  const [alone] = [worldOf(given, world.variants.slice(0, 1)).initial];
  const outcome = await simulate({ ...world, initial: alone }, planner('gpumix', given, world));
  const [before, after] = [readyAt(outcome, 0), readyAt(outcome, 1500)];
  expect(Object.values(before).filter((count) => (count ?? 0) > 0)).toHaveLength(1);
  expect(Object.values(after).filter((count) => count > 0)).toHaveLength(2);
  expect(outcome.capacityGap).toBe(0);
  expect(outcome.attainment).toBeGreaterThan(0.99);
});

test('engines 25 % slower than their profiles: 95 % within the SLO at 1.3 times the plan for what they really do', async () => {
  const given = scenario(synthetic(steady(20), hour), { slowdown: 1.25 });
  const outcome = await runPlanner(given);
  expect(outcome.attainment).toBeGreaterThanOrEqual(0.95);
  expect(outcome.cost).toBeLessThanOrEqual(1.3 * planCost(given, 1.25));
});
