import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historySeconds, readConfig } from '../../src/config/serve-config.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import type { Scenario } from '../../src/simulation/compare.ts';
import { mixtures } from '../../src/simulation/mixtures.ts';
import { type ProfileSetName, profileSet } from '../../src/simulation/profile-sets.ts';
import { merged, poisson, type RateOverTime, superposed, type Traffic, traced } from '../../src/simulation/traffic.ts';
import { parseTrace } from '../../src/workload/gateway-records.ts';

export interface Choices {
  readonly set?: ProfileSetName;
  readonly startupSeconds?: number;
  /** How many times slower the engines are than their profiles say. */
  readonly slowdown?: number;
  /** In place of serve's defaults. */
  readonly settings?: Partial<Scenario['settings']>;
  readonly stock?: Scenario['stock'];
  /** Share of the turns that late requests get; 1 = first come first served. */
  readonly serveLate?: number;
}

/** A scenario with the defaults of `gpumix serve`. */
export const scenario = (
  traffic: Traffic,
  { set = 'llama-8b', startupSeconds = 120, slowdown, settings = {}, stock = () => ({}), serveLate = 0.1 }: Choices = {},
): Scenario => {
  const config = readConfig([], {});
  const { routerKnowledge: asked = 'auto' } = settings;
  const routerKnowledge = asked === 'auto' ? 'size' : asked;
  return {
    traffic,
    set: profileSet(set, startupSeconds, slowdown),
    routerKnowledge,
    serveLate,
    stock,
    settings: {
      ...config,
      historySeconds: historySeconds(config),
      instance: 'simulation',
      startupSeconds,
      prices: {},
      keepSnapshot: true,
      ...settings,
      routerKnowledge,
    },
    solve: (snapshot) => planOf(snapshot),
  };
};

export const synthetic = (rate: RateOverTime, seconds: number, mixture = 'mixed', seed = 1): Traffic =>
  poisson(rate, mixtures[mixture]!, seconds, seed);

/** Both Azure traces at once, so many copies of each, 30 s apart. */
export const azure = (conversation: number, seconds = 3420, code = conversation): Traffic => {
  const streams = Object.entries({ conv: conversation, code }).map(([name, copies]) => {
    const file = join(import.meta.dirname, 'traces', `AzureLLMInferenceTrace_${name}.csv`);
    return superposed(parseTrace(readFileSync(file, 'utf8'), file), copies, 30, 3420);
  });
  return traced(merged(...streams), seconds);
};
