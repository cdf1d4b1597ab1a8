import { type ServiceSettings, serviceOrder } from './service-order.ts';

/**
 * A pod has so many prompts unread at most, unless they have few tokens together: it never runs dry, and nearly all
 * wait in its queue.
 */
const [fewPrompts, fewTokens] = [2, 1024];
/** Weight of the newest time to a first token in its mean. */
const newest = 0.1;

export interface QueuedRequest {
  /** s */
  readonly arrivedAt: number;
  readonly inputTokens: number;
}

/** What waits in front of one pod, and its prompts that are not read yet: when they were sent. */
interface PodQueue<Request> {
  readonly order: ReturnType<typeof serviceOrder>;
  readonly waiting: Request[];
  readonly unread: Map<Request, number>;
}

/**
 * Queues in front of the pods of one model. Each request has its pod at once; pods get few prompts at a time, in the order of
 * service-order.ts, and a pod that nobody waits for takes from the longest queue.
 * @param settings as they are now; null = everything is sent at once
 * @param send called when it is a request's turn, with the pod that takes it
 * @param suits whether a pod may take a request that waits for another
 */
export const createPodQueues = <Pod, Request extends QueuedRequest>(
  settings: () => ServiceSettings | null,
  send: (request: Request, pod: Pod, now: number) => void,
  suits: (request: Request, pod: Pod) => boolean = () => true,
) => {
  const queues = new Map<Pod, PodQueue<Request>>();
  let untilFirstToken = 0;
  const queueOf = (pod: Pod): PodQueue<Request> => {
    const queue = queues.get(pod) ?? { order: serviceOrder(), waiting: [], unread: new Map() };
    queues.set(pod, queue);
    return queue;
  };
  const longest = (): PodQueue<Request> | null => {
    let most: PodQueue<Request> | null = null;
    for (const queue of queues.values()) if (queue.waiting.length > (most?.waiting.length ?? 0)) most = queue;
    return most;
  };
  const serve = (pod: Pod, now: number): void => {
    const own = queueOf(pod);
    const service = settings();
    while (service === null || hasRoom(own)) {
      const queue = own.waiting.length > 0 ? own : longest();
      if (queue === null) return;
      const index = service === null ? 0 : queue.order.next(queue.waiting, now, untilFirstToken, service);
      if (queue !== own && !suits(queue.waiting[index]!, pod)) return;
      const [request] = queue.waiting.splice(index, 1) as [Request];
      queue.order.taken(now, queue.waiting.length === 0);
      own.unread.set(request, now);
      send(request, pod, now);
    }
  };
  return {
    /** A request waits for this pod, or is sent at once. */
    join: (request: Request, pod: Pod, now: number): void => {
      const { waiting, order } = queueOf(pod);
      waiting.splice(waiting.findLastIndex(({ arrivedAt }) => arrivedAt <= request.arrivedAt) + 1, 0, request);
      order.joined(request.arrivedAt);
      serve(pod, now);
    },
    /** A pod has made the first token of a request. */
    read: (request: Request, pod: Pod, now: number): void => {
      const sent = queues.get(pod)?.unread.get(request);
      if (sent === undefined) return;
      untilFirstToken += newest * (now - sent - untilFirstToken);
      queueOf(pod).unread.delete(request);
      serve(pod, now);
    },
    /** A request has gone, read or not, or waits no longer. */
    leave: (request: Request, now: number): void => {
      for (const [pod, { waiting, unread, order }] of queues) {
        const at = waiting.indexOf(request);
        if (at >= 0) {
          waiting.splice(at, 1);
          order.left(request.arrivedAt);
        }
        if (unread.delete(request)) serve(pod, now);
      }
    },
    /** Pods may have come: those for which nobody waits take from the others. */
    serve,
    /** Forgets pods that are gone. @returns the requests that waited for them, in order of arrival */
    keep: (pods: ReadonlySet<Pod>): readonly Request[] => {
      const left = [...queues].filter(([pod]) => !pods.has(pod));
      for (const [pod] of left) queues.delete(pod);
      return left.flatMap(([, { waiting }]) => waiting).sort((a, b) => a.arrivedAt - b.arrivedAt);
    },
    waiting: (pod: Pod): number => queues.get(pod)?.waiting.length ?? 0,
    /** What a request takes to its first token once it is with a pod, in the mean (s); 0 = not known. */
    untilFirstToken: (): number => untilFirstToken,
  };
};

const hasRoom = ({ unread }: PodQueue<QueuedRequest>): boolean => {
  if (unread.size < fewPrompts) return true;
  let tokens = 0;
  for (const { inputTokens } of unread.keys()) tokens += inputTokens;
  return tokens < fewTokens;
};
