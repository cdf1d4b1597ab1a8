import { createEngine, type Engine, type EngineEvent, type EngineRequest, type EngineSpeed } from './engine.ts';
import { drains, type Fault, soldOut, startsAt } from './faults.ts';

/** One Deployment as the simulation knows it. */
export interface SimulatedVariant {
  /** `namespace/deployment`. */
  readonly key: string;
  readonly gpu: string;
  readonly gpusPerReplica: number;
  /** Of one replica (money/h). */
  readonly price: number;
  /** From creation to Ready (s). */
  readonly startupSeconds: number;
  /** What its engines really do, which need not be what the profile says. */
  readonly speed: EngineSpeed;
}

/** GPUs per type that can be had at a time; an absent type is not limited. */
export type StockOverTime = (time: number) => Readonly<Record<string, number>>;

export interface Replica<Request extends EngineRequest> {
  readonly variant: SimulatedVariant;
  readonly engine: Engine<Request>;
  readonly name: string;
  readonly createdAt: number;
  /** Infinity while no GPU is free for it. */
  placedAt: number;
  readyAt: number;
  /** It takes no more requests and goes when the last has ended. */
  leaving: boolean;
}

/** The pods of all Deployments: created, started where there is a GPU, Ready after their startup time, drained and gone. */
export interface Replicas<Request extends EngineRequest> {
  /** Sets spec.replicas. */
  scale(key: string, count: number, now: number): void;
  /** Brings everything up to a time: what starts, gets Ready and has gone; engines and cost. */
  advance(now: number): void;
  /** Only the engines, between two events of the above. */
  catchUp(now: number): void;
  /** Next time at which a replica gets Ready (s). */
  nextReadyAt(): number;
  /** Next time at which Nodes are drained (s); Infinity = never again. */
  nextDrainAt(): number;
  /** Drains the Nodes whose turn it is. */
  drain(now: number): void;
  ready(key: string): readonly Replica<Request>[];
  allReady(): readonly Replica<Request>[];
  /** All that are not leaving. */
  pods(key: string): readonly Replica<Request>[];
  spec(key: string): number;
  /** Money up to the last advance. */
  cost(): number;
  /** Replicas added and taken away so far, the first of all aside. */
  changes(): number;
}

export interface ReplicasOf {
  readonly variants: readonly SimulatedVariant[];
  readonly initial: ReadonlyMap<string, number>;
  readonly stock: StockOverTime;
  readonly faults: readonly Fault[];
}

export const createReplicas = <Request extends EngineRequest>(
  { variants, initial, stock, faults }: ReplicasOf,
  onEvent: (replica: Replica<Request>, ...event: Parameters<EngineEvent<Request>>) => void,
): Replicas<Request> => {
  let toDrain = drains(faults);
  let born = 0;
  const specs = new Map(variants.map(({ key }) => [key, initial.get(key) ?? 0]));
  let all: Replica<Request>[] = variants.flatMap((variant) =>
    Array.from({ length: specs.get(variant.key)! }, () => newReplica(variant, 0, 0)),
  );
  let [clock, cost, changes] = [0, 0, 0];
  let ready = new Map<string, readonly Replica<Request>[]>();
  let allReady: readonly Replica<Request>[] = [];

  function newReplica(variant: SimulatedVariant, createdAt: number, readyAt: number): Replica<Request> {
    born += 1;
    const name = `${variant.key.split('/')[1]}-${born}`;
    const engine = createEngine<Request>(variant.speed, (...event) => onEvent(replica, ...event));
    const replica: Replica<Request> = { variant, engine, name, createdAt, placedAt: readyAt, readyAt, leaving: false };
    return replica;
  }
  const gone = ({ leaving, engine, readyAt }: Replica<Request>): boolean =>
    leaving && (readyAt > clock || engine.running() + engine.waiting() === 0);

  const start = (now: number): void => place(all, stock(now), faults, now);
  const count = (): void => {
    all = all.filter((replica) => !gone(replica));
    allReady = all.filter(({ readyAt, leaving }) => readyAt <= clock && !leaving);
    ready = Map.groupBy(allReady, ({ variant }) => variant.key);
  };
  const accrue = (now: number): void => {
    const perHour = all.reduce((sum, { variant, readyAt }) => sum + (readyAt < Number.POSITIVE_INFINITY ? variant.price : 0), 0);
    cost += (perHour * (now - clock)) / 3600;
    clock = now;
  };
  count();

  return {
    scale: (key, wanted, now) => {
      const variant = variants.find((one) => one.key === key)!;
      const standing = all.filter((replica) => replica.variant.key === key && !replica.leaving);
      changes += Math.abs(wanted - standing.length);
      specs.set(key, wanted);
      for (let more = standing.length; more < wanted; more += 1) all.push(newReplica(variant, now, Number.POSITIVE_INFINITY));
      // As a ReplicaSet does: those that are not Ready first, then the youngest.
      const order = standing.toSorted((a, b) => b.readyAt - a.readyAt);
      for (const replica of order.slice(0, Math.max(0, standing.length - wanted))) replica.leaving = true;
      start(now);
      count();
    },
    advance: (now) => {
      accrue(now);
      for (const { engine } of all) engine.advance(now);
      count();
      start(now);
    },
    catchUp: (now) => {
      for (const { engine } of all) engine.advance(now);
    },
    nextReadyAt: () =>
      all.reduce((soonest, { readyAt }) => (readyAt > clock ? Math.min(soonest, readyAt) : soonest), Number.POSITIVE_INFINITY),
    nextDrainAt: () => toDrain[0]?.from ?? Number.POSITIVE_INFINITY,
    drain: (now) => {
      const due = toDrain.filter(({ from }) => from <= now);
      toDrain = toDrain.slice(due.length);
      for (const replica of all) {
        const { variant, leaving } = replica;
        if (leaving || !due.some(({ gpu }) => gpu === null || gpu === variant.gpu)) continue;
        replica.leaving = true;
        all = [...all, newReplica(variant, now, Number.POSITIVE_INFINITY)];
      }
      count();
      start(now);
      count();
    },
    ready: (key) => ready.get(key) ?? [],
    allReady: () => allReady,
    pods: (key) => all.filter(({ variant, leaving }) => variant.key === key && !leaving),
    spec: (key) => specs.get(key) ?? 0,
    cost: () => cost,
    changes: () => changes,
  };
};

/** Starts those that wait for GPUs, in order, while there are any of their type. */
const place = <Request extends EngineRequest>(
  all: readonly Replica<Request>[],
  limits: Readonly<Record<string, number>>,
  faults: readonly Fault[],
  now: number,
): void => {
  for (const replica of all) {
    const { gpu, gpusPerReplica, startupSeconds } = replica.variant;
    const holding = all.filter(({ variant, readyAt }) => variant.gpu === gpu && readyAt < Number.POSITIVE_INFINITY);
    const used = holding.reduce((sum, { variant }) => sum + variant.gpusPerReplica, gpusPerReplica);
    const most = soldOut(faults, gpu, now) ? 0 : (limits[gpu] ?? Number.POSITIVE_INFINITY);
    if (replica.readyAt === Number.POSITIVE_INFINITY && used <= most)
      [replica.placedAt, replica.readyAt] = [now, startsAt(faults, gpu, now) + startupSeconds];
  }
};
