import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createKpa, type KpaSettings, kpaDefaults } from '../../../hack/simulate/aibrix-kpa.ts';

const file = join(import.meta.dirname, '../../../manifests/samples/aibrix/custom/podautoscalers.yaml');
const samples = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());

/** The settings that a sample's annotations make of the defaults. */
const settingsOf = (annotations: Readonly<Record<string, string>>): KpaSettings => {
  const value = (name: string) => annotations[`autoscaling.aibrix.ai/${name}`] ?? '';
  return {
    ...kpaDefaults,
    panicThreshold: Number(value('panic-threshold')),
    scaleDownSeconds: Number(value('scale-down-cooldown-window').replace(/s$/, '')),
    upRate: Number(value('max-scale-up-rate')),
  };
};

/** Replicas every ten seconds, when gpumix wants so many of them for so long. */
const followed = (settings: KpaSettings, wanted: readonly number[]): readonly number[] => {
  const kpa = createKpa(settings);
  let replicas = wanted[0] ?? 1;
  return wanted.map((count, index) => {
    replicas = Math.max(1, kpa(10 * index, 100 * count - 50, replicas));
    return replicas;
  });
};
const levels = (...counts: readonly number[]) => counts.flatMap((count) => Array.from({ length: 40 }, () => count));
const halvings = (wanted: readonly number[], replicas: readonly number[]): number =>
  replicas.filter((count, i) => i > 0 && count < replicas[i - 1]! && count < wanted[i]! && wanted[i] === wanted[i - 1]).length;

const counts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 });

test.each(samples)('$metadata.name: follows every target within a window, and never falls below one that stands', (sample) => {
  const settings = settingsOf(sample.metadata.annotations);
  fc.assert(
    fc.property(counts, (some) => {
      const wanted = levels(...some);
      const replicas = followed(settings, wanted);
      expect(halvings(wanted, replicas)).toBe(0);
      for (const [level, count] of some.entries()) expect(replicas[40 * level + 39]).toBe(count);
    }),
  );
});

test('with the defaults a fleet that has just grown is cut back', () => {
  const wanted = levels(1, 4);
  expect(halvings(wanted, followed(kpaDefaults, wanted))).toBeGreaterThan(0);
});

test('the samples never let a PodAutoscaler that reads pods go to zero', () => {
  for (const { spec } of samples) expect(spec.minReplicas).toBeGreaterThanOrEqual(1);
});
