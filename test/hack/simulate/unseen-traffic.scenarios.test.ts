import { expect, test } from 'vitest';
import { cheapestKnown } from '../../../hack/simulate/known-future.ts';
import { scenario, synthetic } from '../../../hack/simulate/scenarios.ts';
import { undoneChanges } from '../../../hack/simulate/undone-changes.ts';
import { knownTraffic, unseenTraffic } from '../../../hack/simulate/unseen-traffic.ts';
import { runPlanner, type Scenario } from '../../../src/simulation/compare.ts';
import { steady, type Traffic } from '../../../src/simulation/traffic.ts';

/** With the defaults of `serve`, so many of the requests are to be within the SLO. */
const asked = 0.99;
const seeds = [1, 2];

/**
 * What holds for each seed, with room for what another seed would bring: five seeds of the first two and three of the last were
 * looked at. `npm run bench -- unseen` has the figures of all scenarios.
 */
interface Bars {
  readonly attainment: number;
  /** Cost over that of the cheapest fleet that is known to attain what is asked for. */
  readonly cost: number;
  /** Replicas that were added or taken away and were the other way round within 15 minutes, in the whole run. */
  readonly undone: number;
}

const traffic: Readonly<Record<string, (seed: number) => Traffic>> = {
  ...knownTraffic,
  ...unseenTraffic,
  // A rate whose cheapest mix has next to no room of its own, so that the headroom is what counts.
  'steady 15 req/s': (seed) => synthetic(steady(15), 3600, 'mixed', seed),
};

const of = ({ attainment, cost, undone }: Bars): string =>
  `${100 * attainment} % within the SLO at ${cost} of the cheapest known cost, at most ${undone} changes undone`;

const bars: Readonly<Record<string, Bars>> = {
  'steady 15 req/s': { attainment: 0.995, cost: 1.04, undone: 5 },
  // Long prompts that meet hold up all others, and are no slow engine.
  'one prompt in a hundred of 30,000 tokens, 8 req/s': { attainment: 0.99, cost: 1.01, undone: 0 },
  'ramp 10 to 40 req/s': { attainment: 0.995, cost: 1.12, undone: 12 },
  // Each crowd is over before a replica is Ready: from the third one on they are given up. Who learns of each when it begins
  // attains 82.5 %.
  'flash crowds of 30 s, 10 to 40 req/s every 10 min': { attainment: 0.83, cost: 1.23, undone: 25 },
  // Fewer than ten in the mean of its seven days.
  'a week, an hour to the day, 3 to 20 req/s': { attainment: 0.995, cost: 1.25, undone: 69 },
};

test.each(Object.entries(bars).map(([name, bar]) => [name, of(bar), bar] as const))(
  '%s: %s',
  async (name, _, bar) => {
    // It takes longer than all else, and one seed's is as good a yardstick as another's.
    const known = await cheapestKnown(scenario(traffic[name]!(seeds[0]!)), asked);
    expect(known.attainment, 'something attains what is asked for').toBeGreaterThanOrEqual(asked);
    for (const seed of seeds) {
      const { outcome, strain } = await played(scenario(traffic[name]!(seed)));
      expect(outcome.attainment, `seed ${seed}: within the SLO`).toBeGreaterThanOrEqual(bar.attainment);
      expect(outcome.unserved, `seed ${seed}: not served`).toBe(0);
      expect(outcome.cost / known.cost, `seed ${seed}: cost over the cheapest known`).toBeLessThanOrEqual(bar.cost);
      expect(undoneChanges(outcome.samples), `seed ${seed}: changes undone`).toBeLessThanOrEqual(bar.undone);
      expect(strain, `seed ${seed}: healthy engines are as their profiles say`).toBe(1);
    }
    // A minute of computing: several beside busy neighbours.
  },
  1_800_000,
);

/** gpumix, and the most that it ever took its engines to be strained. */
const played = async (given: Scenario) => {
  let strain = 1;
  const onReport: Scenario['onReport'] = (report) => {
    strain = Math.max(strain, report.strain);
  };
  return { outcome: await runPlanner({ ...given, onReport }), strain };
};
