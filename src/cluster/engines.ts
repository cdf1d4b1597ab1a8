import type { EngineSample } from '../vocabulary/engine-sample.ts';
import { type EngineLoad, type EngineReport, engineLoad, together } from './engine-metrics.ts';
import { type DeploymentPod, metricsUrl } from './pods.ts';

export interface Engines {
  /** Asks these pods in the background, unless it is asking; those that are not among them are forgotten. */
  observe(pods: readonly DeploymentPod[], clock: () => number): void;
  /** What was heard of these pods; null = there is none. */
  report(pods: readonly DeploymentPod[], now: number): EngineReport | null;
}

export interface EnginesSettings {
  /** Where pods serve their metrics if no label says so. */
  readonly port: number;
  readonly timeoutSeconds: number;
  /** What was heard longer ago tells nothing of now (s). */
  readonly validSeconds: number;
}

interface Heard {
  readonly incarnation: string;
  readonly at: number;
  readonly served: number;
  /** By its own counter, which is not from 0 when it is first heard. */
  readonly endedAtFirst: number | null;
  readonly sample: EngineSample;
  readonly quietSince: number | null;
  readonly busyAt: number | null;
}

/** Pods that are asked at once. */
const atOnce = 20;

/**
 * Asks inference engines how busy they are.
 * @param read the body of a URL; throws what went wrong
 */
export const watchEngines = (
  { port, timeoutSeconds, validSeconds }: EnginesSettings,
  read: (url: string, timeoutSeconds: number) => Promise<string>,
): Engines => {
  let heard = new Map<string, Heard>();
  let asking = false;

  const ask = async (pod: DeploymentPod, clock: () => number): Promise<void> => {
    try {
      const load = engineLoad(await read(metricsUrl(pod, port), timeoutSeconds));
      if (load === null) heard.delete(keyOf(pod));
      else heard.set(keyOf(pod), next(heard.get(keyOf(pod)), pod, load, clock()));
    } catch {
      // What does not answer is not heard; that alone is no problem of ours.
      heard.delete(keyOf(pod));
    }
  };

  return {
    observe: (pods, clock) => {
      if (asking) return;
      asking = true;
      const wanted = pods.filter(({ ready, ip }) => ready && ip !== null);
      const names = new Set(wanted.map(keyOf));
      heard = new Map([...heard].filter(([key]) => names.has(key)));
      const queue = wanted.values();
      const worker = async () => {
        for (const pod of queue) await ask(pod, clock);
      };
      void Promise.all(Array.from({ length: Math.min(atOnce, wanted.length) }, worker)).finally(() => {
        asking = false;
      });
    },
    report: (pods, now) => {
      const running = pods.filter(({ ready }) => ready);
      if (running.length === 0) return null;
      return together(
        running.map((pod) => {
          const one = heard.get(keyOf(pod));
          const valid = one !== undefined && one.incarnation === pod.incarnation && one.at >= now - validSeconds;
          return valid ? one : { quietSince: null, busyAt: null, sample: null };
        }),
      );
    },
  };
};

const keyOf = ({ namespace, name }: DeploymentPod): string => `${namespace}/${name}`;

/** One that was heard for the first time, or again after a restart, has been quiet since then at most. */
const next = (before: Heard | undefined, { incarnation }: DeploymentPod, load: EngineLoad, at: number): Heard => {
  const last = before?.incarnation === incarnation ? before : undefined;
  const { served, inFlight, ended } = load;
  const endedAtFirst = last === undefined ? ended : last.endedAtFirst;
  const sample = { at, inFlight, ended: ended === null || endedAtFirst === null ? null : ended - endedAtFirst };
  const heard = { incarnation, at, served, endedAtFirst, sample };
  return inFlight > 0 || (last !== undefined && served !== last.served)
    ? { ...heard, quietSince: null, busyAt: at }
    : { ...heard, quietSince: last?.quietSince ?? at, busyAt: last?.busyAt ?? null };
};
