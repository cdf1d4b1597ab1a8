import { expect, test } from 'vitest';
import { engineSpeed, slowed } from '../../src/simulation/engine-speeds.ts';
import { measuredThroughput, usualMeasurement } from '../../src/simulation/measure.ts';
import { profileSet } from '../../src/simulation/profile-sets.ts';

const slo = { percentile: 99, ttft: 2, tpot: 0.1 };
const measurement = { ...usualMeasurement, slo };
const size = { inputTokens: 1024, outputTokens: 128 };

test('the committed profiles are what the benchmark finds on the engine', () => {
  const set = profileSet('llama-8b');
  const [variant] = set.variants;
  const profile = set.profiles.get(variant!.key)!;
  const cell = profile.inputTokens.indexOf(1024) * profile.outputTokens.length + profile.outputTokens.indexOf(128);
  const { throughput } = measuredThroughput(engineSpeed(variant!.gpu), size, { ...measurement, slo: set.slo });
  expect(profile.throughput[cell]).toBe(Number(throughput.toPrecision(4)));
});

test('an engine that is half as fast serves less than half, as its latency counts too', () => {
  const [whole, half] = [1, 2].map(
    (factor) => measuredThroughput(slowed(engineSpeed('L40S'), factor), size, measurement).throughput,
  );
  expect(half).toBeGreaterThan(0);
  expect(half).toBeLessThan(0.51 * whole!);
});

test('what takes longer than the SLO even alone is served at no rate', () => {
  const { throughput } = measuredThroughput(engineSpeed('L40S'), size, {
    ...measurement,
    slo: { percentile: 99, e2e: 1 },
  });
  expect(throughput).toBe(0);
});

test('a rate that is not kept up does not pass because its requests are over before the limit is', () => {
  const measured = measuredThroughput(
    engineSpeed('L40S'),
    { inputTokens: 256, outputTokens: 64 },
    {
      ...usualMeasurement,
      slo: { percentile: 99, e2e: 20 },
    },
  );
  // 1,600 requests at once would be over in time at any rate; this is what the engine does in an hour.
  expect(measured.throughput).toBeGreaterThan(30);
  expect(measured.throughput).toBeLessThan(34);
});
