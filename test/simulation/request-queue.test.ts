import { expect, test } from 'vitest';
import { scenario, synthetic } from '../../hack/simulate/scenarios.ts';
import { runPlanner } from '../../src/simulation/compare.ts';
import { ramp, spike } from '../../src/simulation/traffic.ts';

const both = async (traffic: Parameters<typeof scenario>[0]) => ({
  first: await runPlanner({ ...scenario(traffic), serveLate: 1 }),
  inTime: await runPlanner(scenario(traffic)),
});

test('after a spike those are served first who can still be in time: more are within the SLO, at about the cost', async () => {
  const { first, inTime } = await both(synthetic(spike(10, 40, 300, 30), 900));
  expect(inTime.attainment).toBeGreaterThan(first.attainment + 0.02);
  expect(inTime.cost).toBeLessThan(1.05 * first.cost);
  expect(inTime.longestTtftSeconds).toBeLessThan(1.5 * first.longestTtftSeconds + 4);
  expect([first.unserved, inTime.unserved]).toEqual([0, 0]);
});

test('in a ramp as well', async () => {
  const { first, inTime } = await both(synthetic(ramp(10, 40, 300, 1200), 1500));
  expect(inTime.attainment).toBeGreaterThanOrEqual(first.attainment);
  expect(inTime.longestTtftSeconds).toBeLessThan(1.5 * first.longestTtftSeconds + 4);
});
