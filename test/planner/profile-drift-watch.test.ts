import { expect, test } from 'vitest';
import type { EngineSamples } from '../../src/cluster/engine-samples.ts';
import { driftsOf, watchDrift } from '../../src/planner/profile-drift-watch.ts';
import type { ServedByEngines } from '../../src/vocabulary/engine-sample.ts';
import { foundProfile } from '../helpers/deployments.ts';
import { deploymentPod } from '../helpers/pods.ts';

const found = foundProfile('a', 4);
const slo = { percentile: 99, ttft: 2 };
const profiles = new Map([['ns/a', { ...found, profile: { ...found.profile, slo } }]]);
/** A hundred seconds of one replica at so many req/s, all of them within the SLO. */
const atRate = (rate: number): ServedByEngines => ({
  ...{ requests: 100 * rate, promptTokens: 100 * rate * 1024, generatedTokens: 100 * rate * 64, podSeconds: 100 },
  ...{ ttft: new Map([2, Number.POSITIVE_INFINITY].map((bound) => [bound, 100 * rate])), tpot: null, e2e: null },
});
const samplesOf = (served: ServedByEngines | null) => {
  const observed: string[][] = [];
  const samples = {
    observe: (pods: readonly { readonly name: string }[]) => void observed.push(pods.map(({ name }) => name)),
    served: () => served,
  } as unknown as EngineSamples;
  return { samples, observed };
};
const pods = [deploymentPod('a-1', { deployment: 'a' }), deploymentPod('b-1', { deployment: 'b' })];

test('engines are asked where there is a profile to compare with', () => {
  const { samples, observed } = samplesOf(null);
  const watch = watchDrift(samples, () => 1000);
  expect(watch.compare(pods, profiles)).toEqual([]);
  expect([observed, watch.drifts().size]).toEqual([[['a-1']], 0]);
});

test('without samples nothing is asked, and nothing is known', () => {
  const watch = watchDrift(null, () => 1000);
  expect([watch.compare(pods, profiles), watch.drifts().size]).toEqual([[], 0]);
});

test.each([
  {
    name: 'twice what it says',
    rate: 8,
    lines: ['ns/a: serves more within the SLO than its profile says (profile a): measure it again'],
  },
  { name: 'as much as it says', rate: 4, lines: [] },
])('a profile beside an engine that serves $name', ({ rate, lines }) => {
  const { samples } = samplesOf(atRate(rate));
  const watch = watchDrift(samples, () => 1000);
  expect(watch.compare(pods, profiles)).toEqual(lines);
  expect([...watch.drifts()]).toEqual([...driftsOf(samples, pods, profiles, 1000)]);
  expect(watch.drifts().get('ns/a')).toMatchObject({ servedRate: rate, ratio: rate / 4 });
});
