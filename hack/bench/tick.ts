import { decide, type PlannerSettings, type Reading } from '../../src/planner/decide.ts';
import { planOf } from '../../src/planner/plan/plan-of-snapshot.ts';
import { tickWork } from '../../src/planner/plan/work-limit.ts';
import { emptyMemory } from '../../src/planner/remember/tick-memory.ts';
import { type FoundProfile, profileOf } from '../../src/profiles/profile-document.ts';
import { deploymentKey } from '../../src/vocabulary/deployment-key.ts';
import type { Interval } from '../../src/workload/workload.ts';
import { deployment } from '../../test/helpers/deployments.ts';
import { benchProgress } from './bench-progress.ts';
import { quantile, significant } from './timing.ts';

/**
 * Milliseconds that one tick decides in, by the number of models, which share nothing: twice the models should take twice as
 * long.
 */
export const tick = async (argv: readonly string[]): Promise<number> => {
  const sizes = argv.includes('--quick') ? [125, 250] : [250, 500, 1000, 2000];
  const progress = benchProgress('tick');
  const all = sizes.reduce((sum, models) => sum + models, 0);
  const rows = sizes.map((models, index) => {
    progress.tell(sizes.slice(0, index).reduce((sum, before) => sum + before, 0) / all);
    const milliseconds = decideMilliseconds(models, 5);
    return { models, milliseconds: significant(milliseconds, 3), perModel: significant(milliseconds / models, 2) };
  });
  progress.end();
  if (argv.includes('--json')) process.stdout.write(`${JSON.stringify(rows)}\n`);
  else for (const row of rows) process.stdout.write(`${row.models} models: ${row.milliseconds} ms, ${row.perModel} ms each\n`);
  return 0;
};

const decideMilliseconds = (models: number, rounds: number): number => {
  const read = reading(models);
  let { memory } = decide(read, emptyMemory, settings, tickWork, planOf);
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    ({ memory } = decide(read, memory, settings, tickWork, planOf));
    return performance.now() - start;
  });
  return quantile(times, 0.5);
};

const settings: PlannerSettings = {
  ...{ windowSeconds: 60, shapeWindowSeconds: 240, startupSeconds: 120, backlogSeconds: 120, headroom: 0, attainment: 0.99 },
  ...{ holdDownSeconds: 300, switchSavings: 0.1, followAfterSeconds: 600, growAtOnce: 3 },
  ...{
    idleAfterSeconds: 300,
    settleSeconds: 2,
    staleAfterSeconds: 300,
    trustSilence: false,
    poolNamespaces: false,
    wakeAhead: true,
  },
  ...{
    routerKnowledge: 'size',
    budget: null,
    prices: { H100: 4, L40S: 1 },
    nodeLimit: 100_000,
    keepSnapshot: false,
  },
};

/** Requests of one size in two of three thousands of tokens; each model has a Deployment on either of two types. */
const sizes = [256, 1024, 4096];
const profiles = Object.fromEntries(
  Object.entries({ H100: 12, L40S: 4 }).map(([gpu, rate]): [string, FoundProfile] => {
    const tputs = sizes.map((input) => sizes.map((output) => (rate * 1024) / (input + 4 * output)));
    const profile = profileOf({ gpu, cost: 1, indexes: [sizes, sizes], tputs }, gpu);
    return [gpu, { profile, source: gpu, seenAt: 0, digest: gpu }];
  }),
);

const now = 100_002;
const intervals = (rate: number): Interval[] =>
  Array.from({ length: 60 }, (_, index) => ({
    time: 99_410 + 10 * index,
    found: 'record',
    record: {
      ...{
        intervalSeconds: 10,
        arrivals: 10 * rate,
        completed: 9 * rate,
        unknownSize: 0,
        pending: 0,
        queueing: null,
        merged: false,
      },
      ...{ version: 3, malformed: 0, totalMissing: false, paused: false },
      completions: sizes.flatMap((inputTokens) => sizes.map((outputTokens) => ({ inputTokens, outputTokens, count: rate }))),
    },
  }));

const reading = (models: number): Reading => {
  const names = Array.from({ length: models }, (_, index) => `model-${index}`);
  const deployments = names.flatMap((model) =>
    ['H100', 'L40S'].map((gpu) => deployment(`${model}-${gpu.toLowerCase()}`, { model, gpu, replicas: 2 })),
  );
  const keyed = <Value>(value: (index: number) => Value) =>
    new Map(deployments.map((one, index) => [deploymentKey(one), value(index)]));
  return {
    now,
    workload: {
      now,
      names: new Map(
        names.map((name, index) => [name, { intervals: intervals(1 + (index % 7)), intervalSeconds: 10, lastRecordAt: 100_000 }]),
      ),
      ...{ writableSince: 0, lostUntil: Number.NEGATIVE_INFINITY, writeProblem: null, heartbeatAt: null, problems: [] },
    },
    deployments: keyed((index) => deployments[index]!),
    profiles: keyed((index) => profiles[deployments[index]!.gpu ?? '']!),
    bounds: new Map(),
    ready: keyed(() => 2),
    pods: keyed(() => []),
    gatewayUnchangedSince: null,
    engines: new Map(),
    unsynced: [],
  };
};
