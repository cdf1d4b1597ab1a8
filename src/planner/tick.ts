import type { Workload } from '../workload/workload.ts';
import { decide, type PlannerSettings, type Reading } from './decide.ts';
import type { MakePlan } from './plan/counted-plans.ts';
import { tickWork } from './plan/machine-speed.ts';
import { type PublishParts, publish } from './publish/publish.ts';
import { podsByDeployment, type ReadParts, read } from './read.ts';
import { emptyMemory, memoryFrom, type StoredMemory } from './remember/tick-memory.ts';
import type { TickOutcome } from './report/tick-outcome.ts';
import { workloadAndClock } from './workload-and-clock.ts';

export interface TickerParts extends ReadParts, PublishParts {
  readWorkload(names: readonly string[]): Promise<Workload>;
  readonly makePlan: MakePlan;
  /** Units of work that the next tick may take; absent = {@link tickWork}. */
  workLimit?(): number;
  readonly settings: PlannerSettings & { readonly intervalSeconds: number };
  /** Called after each tick, with what it decided by, and everything that is wrong at the moment, one line each. */
  onTick(decided: TickOutcome, reading: Reading, problems: readonly string[]): void;
}

export interface Ticker {
  /** Reads, decides, publishes, and has engines asked of which too little is known. What cannot be read is a problem, and what stood goes on standing. */
  tick(): Promise<void>;
  /** Whether the records of another interval should be there since the last tick. */
  due(): boolean;
  /** Starts from what an earlier leader decided. */
  restore(stored: StoredMemory): void;
}

export const createTicker = (parts: TickerParts): Ticker => {
  const { cluster, settings, workLimit = () => tickWork } = parts;
  const workload = workloadAndClock(parts.readWorkload, parts.clock, settings);
  /** Until the next tick. */
  const observeEngines = (deployments: readonly string[]): void => {
    const pods = podsByDeployment(cluster.pods);
    const theirs = deployments.flatMap((key) => pods.get(key) ?? []);
    parts.engines?.observe(theirs, workload.time);
  };
  let memory = emptyMemory;
  let lastIntervalNumber = 0;
  return {
    tick: async () => {
      const { reading, intervalNumber, problems } = await read(parts, workload);
      const decided = decide(reading, memory, settings, workLimit(), parts.makePlan);
      memory = decided.memory;
      lastIntervalNumber = intervalNumber;
      const publishProblems = await publish(decided, reading, parts);
      observeEngines(decided.unsure);
      parts.onTick(decided, reading, [...publishProblems, ...problems, ...decided.problems]);
    },
    // Another one, not only a later one: a clock may step back.
    due: () => workload.intervalNumber() !== lastIntervalNumber,
    restore: (stored) => {
      memory = memoryFrom(memory, stored);
    },
  };
};
