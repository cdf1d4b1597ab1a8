import type { Profile, Slo } from '../profiles/profile-document.ts';
import { type DemandRow, type Plan, type RouterKnowledge, type Snapshot, totalRate } from '../vocabulary/planning-documents.ts';
import { intervalCounter, recordText } from '../workload/gateway-records.ts';
import { capacityGap, type ServingFleet } from './capacity.ts';
import type { EngineRequest } from './engine.ts';
import { type Fault, gatewayLost } from './faults.ts';
import type { Policy, ReplicaView } from './policy.ts';
import { createReplicas, type Replicas, type SimulatedVariant, type StockOverTime } from './replicas.ts';
import { deadlineQueue, firstComeQueue, type RequestQueue } from './request-queue.ts';
import { createRouter, type Router } from './router.ts';
import { withinSlo } from './slo.ts';
import type { Traffic } from './traffic.ts';

/** A world that policies are tried in. */
export interface World {
  readonly traffic: Traffic;
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly slo: Slo;
  /** What the router in front knows, for policies with a plan. */
  readonly routerKnowledge: RouterKnowledge;
  readonly stock: StockOverTime;
  /** What share of the turns late requests get from a gateway that minds the TTFT; absent = first come first served. */
  readonly serveLate?: number;
  /** What goes wrong; absent = nothing. */
  readonly faults?: readonly Fault[];
  /** Replicas that are Ready at the start. */
  readonly initial: ReadonlyMap<string, number>;
  readonly solve: (snapshot: Snapshot) => Plan;
  /** Told every half a minute of the run how far it is (s). */
  readonly onTime?: (time: number) => void;
}

/** What a policy came to. */
export interface PolicyOutcome {
  readonly policy: string;
  /** Money over the whole time. */
  readonly cost: number;
  readonly requests: number;
  /** Share of all requests that ended within the SLO. */
  readonly attainment: number;
  /** Requests that no replica took in time. */
  readonly unserved: number;
  /** Time to the first token that one request in a thousand exceeds, and the longest (s), of those that had one. */
  readonly ttftP999Seconds: number;
  readonly longestTtftSeconds: number;
  /** Replicas added or taken away, per hour. */
  readonly changesPerHour: number;
  /** Largest share of the true demand that the Ready replicas could not carry by their profiles. */
  readonly capacityGap: number;
  readonly samples: readonly RunSample[];
}

/** One moment of a run. */
export interface RunSample {
  readonly time: number;
  /** True demand (req/s). */
  readonly demand: number;
  /** Ready replicas by variant, and spec.replicas. */
  readonly ready: Readonly<Record<string, number>>;
  readonly spec: Readonly<Record<string, number>>;
  /** Share of the demand that the Ready replicas cannot carry by their profiles. */
  readonly gap: number;
  /** Requests that have ended so far, those of them within the SLO, and those that no replica took in time. */
  readonly ended: number;
  readonly within: number;
  readonly unserved: number;
  /** Money so far. */
  readonly cost: number;
}

/** The gateway's interval; records are read so long after it (s). */
const intervalSeconds = 10;
const settleSeconds = 2;
const sampleSeconds = 30;
/** A request is held so long while no replica is Ready (s). */
const patienceSeconds = 60;
/** What still runs so long after the end is given up (s). */
const drainSeconds = 900;

interface Arrived extends EngineRequest {
  readonly arrivedAt: number;
  firstTokenAt: number;
}

/** Runs one policy through one world. The same world and policy come to the same outcome, to the last bit. */
export const simulate = async (world: World, policy: Policy): Promise<PolicyOutcome> => {
  const { traffic, slo, faults = [] } = world;
  const gateway = intervalCounter();
  const tally = createTally(slo);
  const arrivals: number[] = [];
  const { variants, initial, stock } = world;
  const replicas = createReplicas<Arrived>({ variants, initial, stock, faults }, (replica, kind, request, time) => {
    tally.tell(kind, request, time);
    if (kind === 'done') gateway.ended(request.inputTokens, request.outputTokens);
    if (kind === 'firstToken') queue.room(replica, time, request);
  });
  const router = createRouter(world.routerKnowledge, replicas, world.solve);
  const capacity = { ...world, ready: (key: string) => replicas.ready(key).length };
  const samples: RunSample[] = [];
  const queue = queueOf(world, router, replicas);
  const resend = (now: number): void => {
    const lost = queue.giveUp(now, patienceSeconds);
    for (let more = lost; more > 0; more -= 1) gateway.failed();
    tally.unserved(lost);
    queue.call(now);
  };
  const view = (now: number): ReplicaView => ({ ...viewOf(replicas, now), arrivalRate: () => rateOf(arrivals, now) });

  const timers = [
    timer(0, sampleSeconds, async (now) => {
      world.onTime?.(now);
      samples.push({ ...sampleOf(now, traffic.demandAt(now), replicas, capacity), ...tally.sofar() });
    }),
    timer(intervalSeconds, intervalSeconds, async (now) => {
      const record = recordText(intervalSeconds, gateway.take(), queue.waiting());
      if (!gatewayLost(faults, now)) await policy.observe(record, now);
    }),
    timer(settleSeconds, intervalSeconds, async (now) => {
      await policy.tick(view(now));
      router.follow(policy.plan());
    }),
    timer(policy.syncSeconds / 2, policy.syncSeconds, async (now) => {
      for (const [key, count] of policy.sync(view(now))) if (count !== replicas.spec(key)) replicas.scale(key, count, now);
    }),
    { at: () => replicas.nextReadyAt(), run: async () => {} },
    { at: () => replicas.nextDrainAt(), run: async (now: number) => replicas.drain(now) },
  ];
  const nextTimer = () => timers.reduce((first, one) => (one.at() < first.at() ? one : first));

  let due = nextTimer();
  const runTimers = async (until: number): Promise<void> => {
    for (let at = due.at(); at <= until; at = due.at()) {
      replicas.advance(at);
      resend(at);
      await due.run(at);
      due = nextTimer();
    }
  };
  for (const { time, inputTokens, outputTokens } of traffic.requests) {
    if (due.at() <= time) await runTimers(time);
    replicas.catchUp(time);
    gateway.arrived();
    arrivals.push(time);
    queue.arrive({ inputTokens, outputTokens: Math.max(1, outputTokens), arrivedAt: time, firstTokenAt: Number.NaN }, time);
  }
  await runTimers(traffic.seconds);
  replicas.advance(traffic.seconds);
  const cost = replicas.cost();
  replicas.catchUp(traffic.seconds + drainSeconds);
  return {
    policy: policy.name,
    cost,
    requests: traffic.requests.length,
    ...tally.outcome(traffic.requests.length, gateway.pending()),
    changesPerHour: (replicas.changes() * 3600) / traffic.seconds,
    capacityGap: Math.max(0, ...samples.map(({ gap }) => gap)),
    samples,
  };
};

/** Who is served next, where the time to the first token is limited and somebody in front minds it. */
const queueOf = ({ slo, serveLate }: World, router: Router<Arrived>, replicas: Replicas<Arrived>): RequestQueue<Arrived> =>
  serveLate === undefined || slo.ttft === undefined
    ? firstComeQueue(router)
    : deadlineQueue(router, replicas, { ttft: slo.ttft, serveLate });

/** What became of the requests. */
const createTally = (slo: Slo) => {
  let [ended, within, lost] = [0, 0, 0];
  const firstTokens: number[] = [];
  return {
    tell: (kind: 'firstToken' | 'token' | 'done', request: Arrived, time: number): void => {
      if (kind === 'firstToken') {
        request.firstTokenAt = time;
        firstTokens.push(time - request.arrivedAt);
      }
      if (kind !== 'done') return;
      ended += 1;
      if (withinSlo(slo, { ...request, doneAt: time })) within += 1;
    },
    unserved: (requests: number): void => {
      lost += requests;
    },
    sofar: () => ({ ended, within, unserved: lost }),
    /** @param all requests that there were @param pending those that have not ended */
    outcome: (all: number, pending: number) => {
      firstTokens.sort((a, b) => a - b);
      return {
        attainment: all === 0 ? 1 : within / all,
        unserved: lost + pending,
        ttftP999Seconds: firstTokens[Math.ceil(0.999 * firstTokens.length) - 1] ?? 0,
        longestTtftSeconds: firstTokens.at(-1) ?? 0,
      };
    },
  };
};

/** Something to do at a time, and again every so often. */
const timer = (first: number, every: number, run: (now: number) => Promise<void>) => {
  let next = first;
  return {
    at: () => next,
    run: async (now: number) => {
      next += every;
      await run(now);
    },
  };
};

/** req/s over the last minute, or since the start. */
const rateOf = (arrivals: readonly number[], now: number): number => {
  const span = Math.min(now, 60);
  const since = arrivals.findLastIndex((time) => time <= now - span);
  return span > 0 ? (arrivals.length - 1 - since) / span : 0;
};

const viewOf = (replicas: Replicas<Arrived>, now: number): Omit<ReplicaView, 'arrivalRate'> => {
  const sum = (key: string, of: 'running' | 'waiting') =>
    replicas.ready(key).reduce((total, { engine }) => total + engine[of](), 0);
  return {
    now,
    spec: replicas.spec,
    ready: (key) => replicas.ready(key).length,
    pods: replicas.pods,
    running: (key) => sum(key, 'running'),
    waiting: (key) => sum(key, 'waiting'),
  };
};

const sampleOf = (
  time: number,
  demand: readonly DemandRow[],
  replicas: Replicas<Arrived>,
  capacity: ServingFleet & Pick<World, 'variants'>,
): Omit<RunSample, 'ended' | 'within' | 'unserved'> => {
  const counts = (of: (key: string) => number) => Object.fromEntries(capacity.variants.map(({ key }) => [key, of(key)]));
  return {
    time,
    demand: totalRate(demand),
    ready: counts((key) => replicas.ready(key).length),
    spec: counts(replicas.spec),
    gap: capacityGap(demand, capacity),
    cost: replicas.cost(),
  };
};
