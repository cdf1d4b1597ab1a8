import { ownerKey } from '../vocabulary/deployment-key.ts';
import type { ServedByEngines } from '../vocabulary/engine-sample.ts';
import { countedBetween, countedTogether, type EngineCounts, engineCounts } from './engine-metrics.ts';
import { engineMetricsPoll, type PodAnswer, type PollSettings } from './engine-poll.ts';
import type { DeploymentPod } from './pods.ts';

export interface EngineSamples {
  /** Asks some of these pods in the background, unless it is asking; those that are not among them are forgotten. */
  observe(pods: readonly DeploymentPod[], clock: () => number): void;
  /** What these pods served of late, each over a window of its own; null = nothing is known. */
  served(pods: readonly DeploymentPod[], now: number): ServedByEngines | null;
}

export interface EngineSamplesSettings extends PollSettings {
  /** Between two looks at a pod (s). */
  readonly windowSeconds: number;
}

interface Look extends PodAnswer {
  readonly counts: EngineCounts;
  /** What was counted since the look before; null = there was none, or it tells nothing. */
  readonly window: { readonly seconds: number; readonly counts: EngineCounts } | null;
}

/** A sample: of each Deployment the first pods by name, and so many at each call, so that a large fleet takes its time. */
const podsPerDeployment = 3;
const podsPerCall = 100;
/** What was served so many windows ago tells nothing of now. */
const validWindows = 3;

/**
 * Looks at what engines count, now and then: what was served between two looks is what a profile is compared with.
 * @param read the body of a URL; throws what went wrong
 */
export const sampleEngines = (
  { windowSeconds, ...settings }: EngineSamplesSettings,
  read: (url: string, timeoutSeconds: number) => Promise<string>,
): EngineSamples => {
  const learn = (text: string, heard: PodAnswer, before: Look | undefined): Look | null => {
    const counts = engineCounts(text);
    if (counts === null) return null;
    const counted = before === undefined ? null : countedBetween(before.counts, counts);
    const window = counted === null ? null : { seconds: heard.at - before!.at, counts: counted };
    return { ...heard, counts, window };
  };
  const poll = engineMetricsPoll(settings, read, learn, podsPerCall);
  return {
    observe: (pods, clock) => {
      const now = clock();
      poll.ask(sampleOf(pods), clock, (look) => look === undefined || now - look.at >= windowSeconds);
    },
    served: (pods, now) => {
      const windows = pods.flatMap((pod) => {
        const look = poll.known(pod);
        return look !== undefined && look.at >= now - validWindows * windowSeconds ? (look.window ?? []) : [];
      });
      const counts = countedTogether(windows.map((window) => window.counts));
      return counts === null ? null : { ...counts, podSeconds: windows.reduce((sum, { seconds }) => sum + seconds, 0) };
    },
  };
};

/** Ready pods, the first few of each Deployment. */
const sampleOf = (pods: readonly DeploymentPod[]): readonly DeploymentPod[] =>
  [
    ...Map.groupBy(
      pods.filter(({ ready, ip }) => ready && ip !== null),
      ownerKey,
    ).values(),
  ].flatMap((group) => group.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, podsPerDeployment));
