import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atTightestIteration, iterationsOf } from '../../src/profiles/iterations.ts';
import type { Profile } from '../../src/profiles/profile-document.ts';
import { servedByProfile } from '../../src/profiles/served-demand.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { profileSet } from '../../src/simulation/profile-sets.ts';

/** An engine by the law itself: an iteration alone, work per token of a prompt, per token in the cache and iteration (s). */
const [alone, prompt, cached] = [0.02, 60e-6, 0.2e-6];
const workOf = (input: number, output: number): number => prompt * input + output * cached * (input + output / 2);
const limit = 20;
const sizes = { inputTokens: [128, 1024, 4096], outputTokens: [32, 256, 512] };

/** What it serves of each size alone with an end-to-end limit: iterations of limit / output, and no longer than 0.06 s. */
const profile = (more: Partial<Profile> = {}): Profile => {
  const cells = sizes.inputTokens.flatMap((input) =>
    sizes.outputTokens.map((output) => {
      const seconds = Math.min(0.06, (limit - 1) / output);
      const throughput = (1 - alone / seconds) / workOf(input, output);
      // What is left of the limit passes before the first token.
      return { throughput, e2e: limit - 1, ttft: limit - 1 - seconds * (output - 1) };
    }),
  );
  return {
    ...sizes,
    deployment: null,
    throughput: cells.map(({ throughput }) => throughput),
    e2eSeconds: cells.map(({ e2e }) => e2e),
    ttftSeconds: cells.map(({ ttft }) => ttft),
    slo: { percentile: 99, e2e: limit },
    cost: 1,
    gpu: null,
    gpusPerReplica: null,
    created: null,
    ...more,
  };
};
const row = (inputTokens: number, outputTokens: number, arrivalRate: number) => ({
  inputTokens,
  outputTokens,
  arrivalRate,
});

test('what an iteration takes by itself follows from the sizes of a profile', () => {
  expect(iterationsOf(profile())!.alone).toBeCloseTo(alone, 4);
});

test('of a benchmark it follows to a tenth', () => {
  const { profiles, variants } = profileSet('llama-8b-e2e');
  for (const { key, gpu } of variants) {
    const found = iterationsOf(profiles.get(key)!)!.alone / engineSpeed(gpu).iterationSeconds;
    expect(Math.abs(found - 1)).toBeLessThan(0.1);
  }
});

test('too few sizes, or sizes without times, tell nothing', () => {
  const few = { inputTokens: [128, 1024], outputTokens: [32, 256], throughput: [9, 3, 2, 1], e2eSeconds: [1, 2, 3, 4] };
  expect(iterationsOf(profile({ ...few, ttftSeconds: [0.1, 0.1, 0.1, 0.1] }))).toBeNull();
  expect(iterationsOf(profile({ e2eSeconds: null }))).toBeNull();
});

describe('a replica that a mixture fills', () => {
  const mixture = fc
    .array(fc.record({ cell: fc.nat(8), rate: fc.double({ min: 0.01, max: 10, noNaN: true }) }), {
      minLength: 1,
      maxLength: 6,
    })
    .map((rows) =>
      rows.map(({ cell, rate }) => row(sizes.inputTokens[Math.floor(cell / 3)]!, sizes.outputTokens[cell % 3]!, rate)),
    );

  test('makes iterations just as short as its tightest size needs them', () => {
    fc.assert(
      fc.property(mixture, (demand) => {
        const { throughput } = servedByProfile(profile(), demand);
        const load = demand.reduce((sum, { arrivalRate }, index) => sum + arrivalRate / throughput[index]!, 0);
        const work = demand.reduce(
          (sum, { arrivalRate, inputTokens, outputTokens }) => sum + arrivalRate * workOf(inputTokens, outputTokens),
          0,
        );
        const seconds = alone / (1 - work / load);
        const needed = Math.min(...demand.map(({ outputTokens }) => Math.min(0.06, (limit - 1) / outputTokens)));
        // Except where the rarest sizes may miss the limit.
        if (demand.every(({ arrivalRate }) => arrivalRate > 0.2)) expect(Math.abs(seconds / needed - 1)).toBeLessThan(0.01);
      }),
    );
  });

  test('a size that is rare enough to miss the limit tightens nothing', () => {
    const given = profile();
    const rate = given.throughput[6]!;
    const paced = (rare: number) =>
      atTightestIteration(given, iterationsOf(given)!, [row(4096, 32, 1 - rare), row(1024, 512, rare)], [rate, 1], 0.01)[0]!;
    expect(paced(0.005)).toBeCloseTo(rate, 9);
    expect(paced(0.02)).toBeLessThan(0.8 * rate);
  });
});
