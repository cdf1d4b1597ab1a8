import { describe, expect, test } from 'vitest';
import { scenario, synthetic } from '../../hack/simulate/scenarios.ts';
import { runPlanner } from '../../src/simulation/compare.ts';
import { parseFaults, startsAt, storeState } from '../../src/simulation/faults.ts';
import type { PolicyOutcome } from '../../src/simulation/policy-run.ts';
import { profileSet } from '../../src/simulation/profile-sets.ts';
import { steady, step } from '../../src/simulation/traffic.ts';

const gpus = ['L40S', 'A100-80', 'H100'];
const faults = (text: string) => parseFaults(text, gpus);

test('faults are read as they are written', () => {
  expect(faults('redis-away@600-900, sold-out:H100@60-1800,drain@1200')).toEqual([
    { kind: 'redis-away', gpu: null, from: 600, until: 900 },
    { kind: 'sold-out', gpu: 'H100', from: 60, until: 1800 },
    { kind: 'drain', gpu: null, from: 1200, until: 1200 },
  ]);
});

test.each([
  ['flood@1-2', /not one of redis-away, redis-slow, .*drain/],
  ['drain', /not KIND\[:GPU]@FROM\[-UNTIL]/],
  ['redis-away:H100@1-2', /redis-away is not of a GPU type/],
  ['drain:H200@1', /the GPU types are L40S, A100-80, H100/],
  ['drain@1-2', /drain has no end/],
  ['sold-out@1', /sold-out needs an end/],
  ['sold-out@2-2', /it ends before it begins/],
])('%s is refused', (text, message) => {
  expect(() => faults(text)).toThrow(message);
});

test('a fault lasts from its beginning to before its end, and is of its type', () => {
  const some = faults('redis-slow@10-20,pods-late:H100@10-20');
  expect([9, 10, 19.9, 20].map((time) => storeState(some, time))).toEqual(['up', 'slow', 'slow', 'up']);
  expect([startsAt(some, 'H100', 12), startsAt(some, 'H100', 20), startsAt(some, 'L40S', 12)]).toEqual([20, 20, 12]);
});

const run = async (text: string, rate = steady(10), seconds = 1500): Promise<PolicyOutcome> =>
  await runPlanner({ ...scenario(synthetic(rate, seconds)), faults: faults(text) });
const at = ({ samples }: PolicyOutcome, time: number) => samples.find((sample) => sample.time === time)!;
const total = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((sum, count) => sum + count, 0);
const least = ({ samples }: PolicyOutcome, from: number, until: number) =>
  Math.min(...samples.filter(({ time }) => time >= from && time <= until).map(({ spec }) => total(spec)));

describe('while the planner cannot know, what runs stays, and then it goes on', () => {
  test.each(['redis-away@600-900', 'redis-slow@600-900', 'redis-read-only@600-900', 'redis-empty@600', 'gateway-lost@600-900'])(
    '%s',
    async (text) => {
      const outcome = await run(text);
      expect(least(outcome, 600, 1500)).toBeGreaterThanOrEqual(least(outcome, 300, 590));
      expect(outcome.attainment).toBeGreaterThan(0.99);
    },
  );

  test('a step of the traffic is not seen before Redis is back', async () => {
    const seen = await run('redis-slow@0-1', step(10, 20, 600));
    const blind = await run('redis-away@590-1200', step(10, 20, 600));
    expect(total(at(seen, 690).spec)).toBeGreaterThan(total(at(seen, 570).spec));
    expect(at(blind, 1170).spec).toEqual(at(blind, 570).spec);
    expect(total(at(blind, 1290).spec)).toBeGreaterThan(total(at(blind, 570).spec));
    expect(blind.attainment).toBeLessThan(seen.attainment);
  });
});

describe('pods', () => {
  test('of a type that is sold out do not come, and another type is taken instead', async () => {
    const added = (outcome: PolicyOutcome, key: string) => at(outcome, 1470).ready[key]! - at(outcome, 270).ready[key]!;
    const usual = await run('redis-slow@0-1', step(10, 30, 300));
    const { key, gpu } = profileSet('llama-8b').variants.find((variant) => added(usual, variant.key) > 0)!;
    const without = await run(`sold-out:${gpu}@200-1500`, step(10, 30, 300));
    expect(added(without, key)).toBeLessThanOrEqual(0);
    expect(at(without, 1470).gap).toBe(0);
  });

  test('that are drained are replaced, one startup time later', async () => {
    const outcome = await run('drain@600');
    expect(total(at(outcome, 570).ready)).toBeGreaterThan(0);
    expect([total(at(outcome, 630).ready), at(outcome, 630).gap]).toEqual([0, 1]);
    expect(at(outcome, 750).gap).toBe(0);
  });

  test('that are late come when they come', async () => {
    const outcome = await run('pods-late@600-800,drain@650');
    expect([at(outcome, 900).gap, at(outcome, 930).gap]).toEqual([1, 0]);
  });
});
