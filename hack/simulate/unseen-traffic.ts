import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Shape } from '../../src/planner/believe/rates-and-shapes.ts';
import { mixtures } from '../../src/simulation/mixtures.ts';
import {
  dayCycle,
  onOff,
  poisson,
  type RateOverTime,
  ramp,
  sine,
  spike,
  stairs,
  steady,
  step,
  type Traffic,
  traced,
} from '../../src/simulation/traffic.ts';
import { exponential, seeded } from '../../src/vocabulary/random.ts';

const hour = 3600;
const day = 24 * hour;
const mixed = mixtures['mixed']!;

/** Traffic that no constant of gpumix was tuned on, by name; each by a seed. */
export const unseenTraffic: Readonly<Record<string, (seed: number) => Traffic>> = {
  'flash crowds of 30 s, 10 to 40 req/s every 10 min': (seed) => poisson(flashCrowds, mixed, hour, seed),
  'batches, 20 req/s for 10 min, then 2 for 20': (seed) => poisson(onOff(20, 2, 600, 1200), mixed, 3 * hour, seed),
  'prompts grow from 400 to 6,000 tokens, 10 req/s': (seed) => poisson(steady(10), leak, hour, seed),
  'bursty, a rate that wanders around 10 req/s': (seed) => poisson(wandering(10, 2 * hour, seed), mixed, 2 * hour, seed),
  'one prompt in a hundred of 30,000 tokens, 8 req/s': (seed) => poisson(steady(8), bimodal, hour, seed),
  'idle but for 10 min in 4 h': (seed) => poisson(onOff(10, 0, 600, 4 * hour - 600), mixed, 24 * hour, seed),
  'idle but for 10 min twice a day, four days': (seed) => poisson(onOff(10, 0, 600, 12 * hour - 600), mixed, 4 * day, seed),
  'sine of 150 s, 5 to 20 req/s': (seed) =>
    poisson(sine(5, 20, 150), [{ inputTokens: 3000, outputTokens: 150, share: 1 }], 1200, seed),
  'stairs 15, 2, 10, 15, 5, 2 req/s': (seed) => poisson(stairs([15, 2, 10, 15, 5, 2], 150), even, 900, seed),
  "AIBrix's 8 minutes": (seed) => aibrix8Minutes(seed),
  'a week, an hour to the day, 3 to 20 req/s': (seed) => poisson(week, mixed, 7 * hour, seed),
};

const flashCrowds: RateOverTime = (time) => spike(10, 40, 300, 30)(time % 600);

const leak = (time: number): Shape => [{ inputTokens: Math.round(400 + (5600 * time) / hour), outputTokens: 128, share: 1 }];

const bimodal: Shape = [
  ...mixtures['short']!.map((size) => ({ ...size, share: size.share * 0.99 })),
  { inputTokens: 30_000, outputTokens: 128, share: 0.01 },
];

/** WVA's requests. */
const even: Shape = [{ inputTokens: 1000, outputTokens: 1000, share: 1 }];

/** A rate that is drawn anew, with a variance of four times its mean squared, every so often: half a minute in the mean. */
const wandering = (mean: number, seconds: number, seed: number): RateOverTime => {
  const random = seeded(1000 + seed);
  const changes: { from: number; rate: number }[] = [];
  let level = mean;
  for (let time = 0; time < seconds; time += exponential(random, 30)) {
    level = Math.min(2 * mean, Math.max(mean / 3, level * (0.85 + 0.3 * random())));
    // Hyperexponential: most stretches are calm, some are three times the level.
    changes.push({ from: time, rate: random() < 0.15 ? 3 * level : 0.65 * level });
  }
  return (time) => changes.findLast(({ from }) => from <= time)!.rate;
};

/** Five working days and a weekend at a third, each of them a cycle. */
const week: RateOverTime = (time) => dayCycle(3, 20, hour)(time) * (time >= 5 * hour ? 1 / 3 : 1);

const aibrix8Minutes = (seed: number): Traffic => {
  const file = join(import.meta.dirname, 'traces', 'aibrix_8min_up_and_down.csv');
  const random = seeded(seed);
  // One trace: a seed moves each request by up to five seconds.
  const rows = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  const requests = rows
    .map((row) => row.split(',').map(Number) as [number, number, number])
    .map(([milliseconds, inputTokens, outputTokens]) => ({
      ...{ time: milliseconds / 1000 + (seed === 1 ? 0 : 5 * random()), inputTokens, outputTokens },
    }))
    .sort((a, b) => a.time - b.time);
  return traced(requests, 480);
};

/** What comes again and again counts from its third time on (s): the first ones are for learning. */
export const countedFrom: Readonly<Record<string, number>> = {
  'flash crowds of 30 s, 10 to 40 req/s every 10 min': 1200,
  'batches, 20 req/s for 10 min, then 2 for 20': 3600,
  'idle but for 10 min in 4 h': 8 * hour,
  // What is there at the very beginning comes to no idle model, so that its second day is the first.
  'idle but for 10 min twice a day, four days': 2 * day + hour,
  'sine of 150 s, 5 to 20 req/s': 300,
  'a week, an hour to the day, 3 to 20 req/s': 2 * hour,
};

/** What the table of docs/benchmarks.md is of. */
export const knownTraffic: Readonly<Record<string, (seed: number) => Traffic>> = {
  'steady 20 req/s': (seed) => poisson(steady(20), mixed, hour, seed),
  'step 10 to 40 req/s': (seed) => poisson(step(10, 40, 900), mixed, hour, seed),
  'ramp 10 to 40 req/s': (seed) => poisson(ramp(10, 40, 900, 2700), mixed, hour, seed),
};
