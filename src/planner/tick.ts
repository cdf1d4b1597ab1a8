import type { Workload } from '../workload/workload.ts';
import { decide, type PlannerSettings, type Reading } from './decide.ts';
import type { MakePlan } from './plan/counted-plans.ts';
import { tickWork } from './plan/work-limit.ts';
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
  /** Lets the other replicas know, before anything is published here; absent where there are none. */
  tellReplicas?(decided: TickOutcome, now: number): Promise<ReplicasTold>;
  /** Called after each tick, with what it decided by, and everything that is wrong at the moment, one line each. */
  onTick(decided: TickOutcome, reading: Reading, problems: readonly string[]): void;
}

export interface ReplicasTold {
  /** A newer plan is stored, or another replica leads by now: what was decided here is void. */
  readonly superseded: boolean;
  /** One line each. */
  readonly problems: readonly string[];
}

export interface Ticker {
  /**
   * Reads, decides, tells the other replicas, publishes unless one of them has overtaken this tick, and has engines asked of
   * which too little is known. What cannot be read is a problem, and what stood goes on standing.
   */
  tick(): Promise<void>;
  /** Whether the records of another interval should be there since the last tick. */
  due(): boolean;
  /** Starts from what an earlier leader decided. */
  restore(stored: StoredMemory): void;
}

const tellNobody = async (): Promise<ReplicasTold> => ({ superseded: false, problems: [] });

export const createTicker = (parts: TickerParts): Ticker => {
  const { cluster, settings, workLimit = () => tickWork, tellReplicas = tellNobody } = parts;
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
      const told = await tellReplicas(decided, reading.now);
      const publishProblems = told.superseded ? [] : await publish(decided, reading, parts);
      observeEngines(decided.enginesToAsk);
      parts.onTick(decided, reading, [...told.problems, ...publishProblems, ...problems, ...decided.problems]);
    },
    // Another one, not only a later one: a clock may step back.
    due: () => workload.intervalNumber() !== lastIntervalNumber,
    restore: (stored) => {
      memory = memoryFrom(memory, stored);
    },
  };
};
