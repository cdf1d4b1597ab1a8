import { get } from 'node:http';
import { objectKey } from './kubernetes-object.ts';
import { type DeploymentPod, metricsUrl } from './pods.ts';

export interface PollSettings {
  /** Where pods serve their metrics if no label says so. */
  readonly port: number;
  readonly timeoutSeconds: number;
}

/** What is known of a pod since it was last asked. */
export interface PodAnswer {
  readonly incarnation: string;
  /** When it answered (s, by the caller's clock). */
  readonly at: number;
}

/** What pods last said of themselves. */
export interface EnginePoll<Known extends PodAnswer> {
  /**
   * Asks in the background, unless it is asking.
   * @param pods those that are not among them are forgotten
   * @param isDue whether one is asked now, by what is known of it
   */
  ask(pods: readonly DeploymentPod[], clock: () => number, isDue?: (known: Known | undefined) => boolean): void;
  known(pod: DeploymentPod): Known | undefined;
}

/** Pods that are asked at once. */
const atOnce = 20;

/**
 * Asks pods for their engines' metrics.
 * @param read the body of a URL; throws what went wrong
 * @param learn what is known of a pod now; null = nothing. `before` is what was known of the same incarnation
 * @param most pods that are asked in one call
 */
export const engineMetricsPoll = <Known extends PodAnswer>(
  { port, timeoutSeconds }: PollSettings,
  read: (url: string, timeoutSeconds: number) => Promise<string>,
  learn: (text: string, heard: PodAnswer, before: Known | undefined) => Known | null,
  most = Number.POSITIVE_INFINITY,
): EnginePoll<Known> => {
  let all = new Map<string, Known>();
  let asking = false;

  const askOne = async (pod: DeploymentPod, clock: () => number): Promise<void> => {
    const key = objectKey(pod);
    // What does not answer is not heard; that alone is no problem of ours.
    const text = await read(metricsUrl(pod, port), timeoutSeconds).catch(() => null);
    const before = all.get(key);
    const heard = { incarnation: pod.incarnation, at: clock() };
    const known = text === null ? null : learn(text, heard, before?.incarnation === pod.incarnation ? before : undefined);
    if (known === null) all.delete(key);
    else all.set(key, known);
  };

  return {
    ask: (pods, clock, isDue = () => true) => {
      if (asking) return;
      const names = new Set(pods.map(objectKey));
      all = new Map([...all].filter(([key]) => names.has(key)));
      const due = pods.filter((pod) => isDue(all.get(objectKey(pod)))).slice(0, most);
      if (due.length === 0) return;
      asking = true;
      const queue = due.values();
      const worker = async () => {
        for (const pod of queue) await askOne(pod, clock);
      };
      void Promise.all(Array.from({ length: Math.min(atOnce, due.length) }, worker)).finally(() => {
        asking = false;
      });
    },
    known: (pod) => all.get(objectKey(pod)),
  };
};

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
