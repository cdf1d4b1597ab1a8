import { get } from 'node:http';
import type { ServedByEngines } from '../vocabulary/engine-sample.ts';
import { countedBetween, countedTogether, type EngineCounts, engineCounts } from './engine-counts.ts';
import { type DeploymentPod, metricsUrl } from './pods.ts';

export interface EngineSamples {
  /** Asks some of these pods in the background, unless it is asking; those that are not among them are forgotten. */
  observe(pods: readonly DeploymentPod[], clock: () => number): void;
  /** What these pods served of late, each over a window of its own; null = nothing is known. */
  served(pods: readonly DeploymentPod[], now: number): ServedByEngines | null;
}

export interface EngineSamplesSettings {
  /** Where pods serve their metrics if no label says so. */
  readonly port: number;
  readonly timeoutSeconds: number;
  /** Between two looks at a pod (s). */
  readonly windowSeconds: number;
}

interface Look {
  readonly incarnation: string;
  readonly at: number;
  readonly counts: EngineCounts;
}
interface Window {
  readonly from: number;
  readonly to: number;
  readonly counts: EngineCounts;
}

/** A sample: of each Deployment the first pods by name, and so many at each call, so that a large fleet takes its time. */
const podsPerDeployment = 3;
const podsPerCall = 100;
const atOnce = 20;
/** What was served so many windows ago tells nothing of now. */
const validWindows = 3;

/**
 * Looks at what engines count, now and then: what was served between two looks is what a profile is compared with.
 * @param read the body of a URL; throws what went wrong
 */
export const sampleEngines = (
  { port, timeoutSeconds, windowSeconds }: EngineSamplesSettings,
  read: (url: string, timeoutSeconds: number) => Promise<string>,
): EngineSamples => {
  let looks = new Map<string, Look>();
  let windows = new Map<string, Window>();
  let asking = false;

  const look = async (pod: DeploymentPod, clock: () => number): Promise<void> => {
    const key = keyOf(pod);
    const before = looks.get(key);
    // What does not answer is not judged; that alone is no problem of ours.
    const counts = await read(metricsUrl(pod, port), timeoutSeconds).then(engineCounts, () => null);
    windows.delete(key);
    if (counts === null) return void looks.delete(key);
    const at = clock();
    looks.set(key, { incarnation: pod.incarnation, at, counts });
    if (before === undefined || before.incarnation !== pod.incarnation) return;
    const counted = countedBetween(before.counts, counts);
    if (counted !== null) windows.set(key, { from: before.at, to: at, counts: counted });
  };

  return {
    observe: (pods, clock) => {
      if (asking) return;
      const sampled = sampleOf(pods);
      const names = new Set(sampled.map(keyOf));
      looks = new Map([...looks].filter(([key]) => names.has(key)));
      windows = new Map([...windows].filter(([key]) => names.has(key)));
      const now = clock();
      const due = sampled
        .filter((pod) => now - (looks.get(keyOf(pod))?.at ?? Number.NEGATIVE_INFINITY) >= windowSeconds)
        .slice(0, podsPerCall);
      if (due.length === 0) return;
      asking = true;
      const queue = due.values();
      const worker = async () => {
        for (const pod of queue) await look(pod, clock);
      };
      void Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, worker)).finally(() => {
        asking = false;
      });
    },
    served: (pods, now) => {
      const known = pods
        .flatMap((pod) => windows.get(keyOf(pod)) ?? [])
        .filter(({ to }) => to >= now - validWindows * windowSeconds);
      const counts = countedTogether(known.map((window) => window.counts));
      return counts === null ? null : { ...counts, podSeconds: known.reduce((sum, { from, to }) => sum + to - from, 0) };
    },
  };
};

/** Ready pods, the first few of each Deployment. */
const sampleOf = (pods: readonly DeploymentPod[]): readonly DeploymentPod[] =>
  [
    ...Map.groupBy(
      pods.filter(({ ready, ip }) => ready && ip !== null),
      deploymentOf,
    ).values(),
  ].flatMap((some) => some.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, podsPerDeployment));

const deploymentOf = ({ namespace, deployment }: DeploymentPod): string => `${namespace}/${deployment}`;
const keyOf = ({ namespace, name }: DeploymentPod): string => `${namespace}/${name}`;

/** Metrics of an engine are some tens of KiB; what is longer is none. */
const longestMetrics = 4 << 20;

/**
 * The body of a URL, by Node's `http`: its `fetch` takes 10 MiB of memory as soon as it is used.
 * @throws what went wrong
 */
export const readMetrics = (url: string, timeoutSeconds: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    const asking = get(url, { signal }, (response) => {
      if ((response.statusCode ?? 0) >= 300 && (response.statusCode ?? 0) < 400) asking.destroy(new Error('leads elsewhere'));
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
        if (text.length > longestMetrics) asking.destroy(new Error('says too much'));
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    asking.on('error', reject);
  });
