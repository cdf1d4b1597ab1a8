import type { Plan, Snapshot } from '../vocabulary/planning-documents.ts';

/** Times in seconds since the start. */
export interface SimulatedPod {
  readonly name: string;
  readonly createdAt: number;
  /** Infinity while no GPU is free for it. */
  readonly placedAt: number;
  readonly readyAt: number;
}

/** What a policy may see of the cluster at one moment; counts by `namespace/deployment`. */
export interface ReplicaView {
  /** Seconds since the start. */
  readonly now: number;
  /** spec.replicas. */
  spec(key: string): number;
  ready(key: string): number;
  /** Pods that are not leaving. */
  pods(key: string): readonly SimulatedPod[];
  /** Requests in the engines of the Ready replicas: those that run and those that wait. */
  running(key: string): number;
  waiting(key: string): number;
  /** Requests per second that have arrived in the last minute, for all Deployments together. */
  arrivalRate(): number;
}

/** Something that decides on replicas. It learns of the traffic only by the gateway's records and what the engines say. */
export interface Policy {
  readonly name: string;
  /** How often its autoscaler acts (s). */
  readonly syncSeconds: number;
  /**
   * The gateway's record of the interval that ended at this time (s since the start); null = it wrote none. Not while it is
   * lost.
   */
  observe(record: string | null, time: number): Promise<void>;
  /** Two seconds after each interval. */
  tick(view: ReplicaView): Promise<void>;
  /** Replicas that the autoscaler sets now; a Deployment that is absent stays as it is. */
  sync(view: ReplicaView): ReadonlyMap<string, number>;
  /** The last plan, for a router that follows plans; null = there is none, and requests go where the fewest are in flight. */
  plan(): { readonly snapshot: Snapshot; readonly plan: Plan } | null;
}
