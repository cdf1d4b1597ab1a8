import { createPodQueues, type QueuedRequest } from '../gateway/pod-queues.ts';
import type { ServiceSettings } from '../gateway/service-order.ts';
import type { EngineRequest } from './engine.ts';
import type { Replica, Replicas } from './replicas.ts';
import type { Router } from './router.ts';

type Waiting = EngineRequest & QueuedRequest;

/** What waits in front of the engines. */
export interface RequestQueue<Request extends Waiting> {
  arrive(request: Request, now: number): void;
  /** This replica has had a first token, or a request has gone. */
  room(replica: Replica<Request>, now: number, request: Request): void;
  /** The fleet may have changed. */
  call(now: number): void;
  /** Takes out those that have waited for so long that they are given up (s). */
  giveUp(now: number, patienceSeconds: number): number;
  waiting(): number;
}

/** Every request goes to an engine at once, and waits there; only where no replica is Ready it waits here. */
export const firstComeQueue = <Request extends Waiting>(router: Router<Request>): RequestQueue<Request> => {
  let held: Request[] = [];
  const arrive = (request: Request, now: number): void => {
    const replica = router.choose(request);
    if (replica === null) held.push(request);
    else replica.engine.submit(request, now);
  };
  return {
    arrive,
    room: () => {},
    call: (now) => {
      const again = held;
      held = [];
      for (const request of again) arrive(request, now);
    },
    giveUp: (now, patienceSeconds) => {
      const all = held.length;
      held = held.filter(({ arrivedAt }) => now - arrivedAt <= patienceSeconds);
      return all - held.length;
    },
    waiting: () => held.length,
  };
};

/** As `gpumix gateway` has it with --serve-late. */
export const deadlineQueue = <Request extends Waiting>(
  router: Router<Request>,
  replicas: Replicas<Request>,
  settings: ServiceSettings,
): RequestQueue<Request> => {
  const queues = createPodQueues<Replica<Request>, Request>(
    () => settings,
    (request, replica, now) => replica.engine.submit(request, now),
  );
  let unassigned: readonly Request[] = [];
  const arrive = (request: Request, now: number): void => {
    const replica = router.choose(request, queues.waiting);
    if (replica === null) unassigned = [...unassigned, request];
    else queues.join(request, replica, now);
  };
  return {
    arrive,
    room: (replica, now, request) => queues.read(request, replica, now),
    call: (now) => {
      const again = [...unassigned, ...queues.keep(new Set(replicas.allReady()))];
      unassigned = [];
      for (const request of again) arrive(request, now);
      for (const replica of replicas.allReady()) queues.serve(replica, now);
    },
    giveUp: (now, patienceSeconds) => {
      const all = unassigned.length;
      unassigned = unassigned.filter(({ arrivedAt }) => now - arrivedAt <= patienceSeconds);
      return all - unassigned.length;
    },
    waiting: () => unassigned.length,
  };
};
