import { expect, test } from 'vitest';
import { scenario, synthetic } from '../../hack/simulate/scenarios.ts';
import { pauses, runPlanner, runWarm } from '../../src/simulation/compare.ts';
import { onOff, steady } from '../../src/simulation/traffic.ts';

test('a warm replica of the cheapest type is priced where traffic pauses, and nowhere else', async () => {
  const given = scenario(synthetic(onOff(3, 0, 300, 900), 2400));
  expect(pauses(given)).toBe(true);
  const [plain, [warm]] = [await runPlanner(given), await runWarm(given)];
  expect(warm!.policy).toBe('gpumix, one L40S kept warm');
  const idle = (outcome: typeof plain) => outcome.samples.find(({ time }) => time === 1170)!.ready['simulated/l40s'];
  expect([idle(plain), idle(warm!)]).toEqual([0, 1]);
  expect(warm!.cost).toBeGreaterThan(plain.cost);
  expect(warm!.attainment).toBeGreaterThan(plain.attainment);
  expect(await runWarm(scenario(synthetic(steady(3), 600)))).toEqual([]);
});
