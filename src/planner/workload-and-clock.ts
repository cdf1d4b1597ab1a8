import { messageOf } from '../vocabulary/errors.ts';
import type { Workload } from '../workload/workload.ts';

/** What was last read of requests, and Redis' clock, which goes on while Redis is away. */
export interface WorkloadAndClock {
  /** Reads it anew; answers what is wrong, one line each, and never throws. */
  read(names: readonly string[]): Promise<readonly string[]>;
  /** null = it was never read. */
  last(): Workload | null;
  /** Unix s by Redis' clock. */
  time(): number;
  /** The number of the newest interval whose records should be there by now. */
  intervalNumber(): number;
}

export interface ClockSettings {
  readonly intervalSeconds: number;
  readonly settleSeconds: number;
}

/** @param clock Unix s, our own */
export const workloadAndClock = (
  readWorkload: (names: readonly string[]) => Promise<Workload>,
  clock: () => number,
  settings: ClockSettings,
): WorkloadAndClock => {
  let workload: Workload | null = null;
  /** Redis' clock minus ours (s). */
  let clockOffset = 0;
  const time = () => clock() + clockOffset;
  return {
    read: async (names) => {
      try {
        const before = clock();
        workload = await readWorkload(names);
        // Redis' time is of some moment of the reads, which may take long: an offset that agrees with that stands.
        clockOffset = Math.min(Math.max(clockOffset, workload.now - clock()), workload.now - before);
        return [
          ...workload.problems,
          ...(workload.writeProblem === null ? [] : [`Redis takes no write of ours: ${workload.writeProblem}`]),
          ...(Math.abs(clockOffset) > 2
            ? [`our clock differs from that of Redis by ${clockOffset.toFixed(0)} s; that of Redis counts`]
            : []),
        ];
      } catch (error) {
        return [messageOf(error)];
      }
    },
    last: () => workload,
    time,
    intervalNumber: () => Math.floor((time() - settings.settleSeconds) / shortestInterval(workload, settings.intervalSeconds)),
  };
};

/** The shortest that a record names; until one does, the setting (s). */
const shortestInterval = (workload: Workload | null, otherwise: number): number => {
  const named = [...(workload?.names.values() ?? [])].filter(({ lastRecordAt }) => lastRecordAt !== null);
  return named.length === 0 ? otherwise : Math.min(...named.map(({ intervalSeconds }) => intervalSeconds));
};
