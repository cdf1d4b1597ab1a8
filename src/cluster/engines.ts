import type { EngineSample } from '../vocabulary/engine-sample.ts';
import { activityOfAll, type EngineActivity, type EngineOccupancy, engineOccupancy } from './engine-metrics.ts';
import { engineMetricsPoll, type PodAnswer, type PollSettings } from './engine-poll.ts';
import type { DeploymentPod } from './pods.ts';

export interface EngineWatch {
  /** Asks these pods in the background, unless it is asking; those that are not among them are forgotten. */
  observe(pods: readonly DeploymentPod[], clock: () => number): void;
  /** What was heard of these pods; null = there is none. */
  activity(pods: readonly DeploymentPod[], now: number): EngineActivity | null;
}

export interface EnginesSettings extends PollSettings {
  /** What was heard longer ago tells nothing of now (s). */
  readonly validSeconds: number;
}

interface HeardActivity extends PodAnswer {
  readonly served: number;
  /** By its own counter, which is not from 0 when it is first heard. */
  readonly endedAtFirst: number | null;
  readonly sample: EngineSample;
  readonly quietSince: number | null;
  readonly busyAt: number | null;
}

/**
 * Asks inference engines how busy they are.
 * @param read the body of a URL; throws what went wrong
 */
export const watchEngines = (
  { validSeconds, ...settings }: EnginesSettings,
  read: (url: string, timeoutSeconds: number) => Promise<string>,
): EngineWatch => {
  const poll = engineMetricsPoll<HeardActivity>(settings, read, (text, heard, before) => {
    const occupancy = engineOccupancy(text);
    return occupancy === null ? null : next(before, heard, occupancy);
  });
  return {
    observe: (pods, clock) =>
      poll.ask(
        pods.filter(({ ready, ip }) => ready && ip !== null),
        clock,
      ),
    activity: (pods, now) => {
      const running = pods.filter(({ ready }) => ready);
      if (running.length === 0) return null;
      return activityOfAll(
        running.map((pod) => {
          const heard = poll.known(pod);
          const valid = heard !== undefined && heard.incarnation === pod.incarnation && heard.at >= now - validSeconds;
          return valid ? heard : { quietSince: null, busyAt: null, sample: null };
        }),
      );
    },
  };
};

/** One that was heard for the first time, or again after a restart, has been quiet since then at most. */
const next = (
  last: HeardActivity | undefined,
  { incarnation, at }: PodAnswer,
  { served, inFlight, ended }: EngineOccupancy,
): HeardActivity => {
  const endedAtFirst = last === undefined ? ended : last.endedAtFirst;
  const sample = { at, inFlight, ended: ended === null || endedAtFirst === null ? null : ended - endedAtFirst };
  const heard = { incarnation, at, served, endedAtFirst, sample };
  return inFlight > 0 || (last !== undefined && served !== last.served)
    ? { ...heard, quietSince: null, busyAt: at }
    : { ...heard, quietSince: last?.quietSince ?? at, busyAt: last?.busyAt ?? null };
};
