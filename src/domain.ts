/**
 * The vocabulary. Read this file first.
 *
 * Units: times are seconds, rates requests per second (req/s), money is per hour. Arrays over a bucket grid are
 * row-major, input x output.
 */

/** What the router in front of a model knows of a request when it chooses a replica. */
export type Routing = 'size' | 'input' | 'load' | 'none';
export const routings: readonly Routing[] = ['size', 'input', 'load', 'none'];

/** What is believed of the number of GPUs: see `--stock`. */
export type StockSource = 'auto' | 'nodes' | 'config' | 'none';
export const stockSources: readonly StockSource[] = ['auto', 'nodes', 'config', 'none'];

/** Requests of one size and how many of them arrive. */
export interface Demand {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** λ, requests arriving per second, headroom included (req/s). */
  readonly arrivalRate: number;
}

/** Limits of a profile's SLO; absent ones were not set. Seconds, except `tput` (req/s) and `tt` (tokens/s). */
export interface Slo {
  /** 50, 90 or 99; 0 stands for the mean. */
  readonly percentile: number;
  readonly ttft?: number;
  readonly tpot?: number;
  readonly tpat?: number;
  readonly e2e?: number;
  readonly tput?: number;
  readonly tt?: number;
}

/** Throughput of one replica of one model on one GPU type within one SLO, over a grid of request sizes. */
export interface Profile {
  /** The Deployment it was measured for: `name` or `namespace/name`; null = any Deployment on that GPU type. */
  readonly deployment: string | null;
  /** Grid, ascending, in tokens. */
  readonly inputTokens: readonly number[];
  readonly outputTokens: readonly number[];
  /** μ, most requests per second of one replica within the SLO (req/s), input x output; 0 = never within the SLO. */
  readonly throughput: readonly number[];
  /** Mean end-to-end time at that throughput (s), input x output, NaN where unknown; null = not measured. */
  readonly e2eSeconds: readonly number[] | null;
  /** Mean time to the first token at that throughput (s), likewise; absent = not measured. */
  readonly ttftSeconds?: readonly number[];
  readonly slo: Slo | null;
  /** Price of one replica (money/h, or any unit that all profiles of a model share). */
  readonly cost: number;
  /** The part as sold; only in profiles of ours. */
  readonly gpu: string | null;
  readonly gpusPerReplica: number | null;
  /** Unix seconds, as the document says. */
  readonly created: number | null;
}

/** One Deployment: a model on one GPU type. */
export interface Variant {
  /** `namespace/deployment`. */
  readonly name: string;
  /** The part as sold: `H100`. */
  readonly gpu: string;
  readonly gpusPerReplica: number;
  /** Of one replica (money/h). */
  readonly price: number;
  /** Hard bounds of the solve; a null maximum is no limit. */
  readonly minReplicas: number;
  readonly maxReplicas: number | null;
  /** spec.replicas and Ready pods; null = not known. */
  readonly running: number | null;
  readonly ready: number | null;
  /** req/s of one replica within the SLO, one entry per row of the model's demand; 0 = not within the SLO. */
  readonly throughput: readonly number[];
  /**
   * req/s at which one replica is charged where it is not within the SLO, one entry per row of demand; elsewhere the same
   * as `throughput`. 0 only where the variant serves nothing at all.
   */
  readonly throughputBeyondSlo: readonly number[];
  /** Mean end-to-end seconds at that throughput, one entry per row of demand; NaN where unknown; null = unknown. */
  readonly e2eSeconds: readonly number[] | null;
  /** 1 - the percentile of the profile's SLO, where it has one: the share of requests that may be beyond it. */
  readonly sloShare: number | null;
}

/** One model as of one instant. */
export interface Model {
  readonly name: string;
  /** A higher number wins where stock or budget do not suffice for all. */
  readonly priority: number;
  /** What the router in front of this one knows; absent = what the snapshot says. */
  readonly routing?: Routing;
  readonly demand: readonly Demand[];
  readonly variants: readonly Variant[];
  /** The last plan and the planner's memory; null = none. */
  readonly previous: PreviousPlan | null;
}

/** What of the last plan the next one looks at. */
export interface PreviousPlan {
  readonly replicas: Readonly<Record<string, number>>;
}

/** The planner's whole input as of one instant. */
export interface Snapshot {
  /** RFC 3339. */
  readonly now: string | null;
  readonly models: readonly Model[];
  /** GPUs per type over all models; an absent type is not limited. */
  readonly stock: Readonly<Record<string, number>>;
  /** GPUs that the variants of a namespace may hold, by namespace and GPU type; `*` = all types together; absent = any. */
  readonly quotas?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Money/h for all models together; null = no limit. */
  readonly budget: number | null;
  readonly routing: Routing;
  /** Nodes of one search after which it stops with what it has; null = the solver's own limit. */
  readonly nodeLimit?: number | null;
}

/**
 * `optimal`: cost proven to a relative gap of 1e-9. `feasible`: stopped with an incumbent and a bound.
 * `infeasible`: proven that not all demand can be served. `unknown`: stopped with nothing.
 */
export type Status = 'optimal' | 'feasible' | 'infeasible' | 'unknown';

/** Why some demand is not served. `profile`: no profile of the model serves anything at all. */
export type Shortage = 'stock' | 'maxReplicas' | 'budget' | 'profile';

/** One row of demand and the share of it that each variant takes; shares sum to 1. */
export interface RoutedDemand extends Demand {
  readonly shares: Readonly<Record<string, number>>;
}
export interface UnservedDemand extends Demand {
  readonly reason: Shortage;
}

export interface ModelPlan {
  readonly name: string;
  /** Money/h. */
  readonly cost: number;
  /** Per variant, every variant of the model listed, in order of name. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly routing: readonly RoutedDemand[];
  /** Demand that no variant serves within the SLO; it is charged and routed all the same. */
  readonly beyondSlo: readonly Demand[];
  readonly unserved: readonly UnservedDemand[];
}

/** The planner's answer to a snapshot. */
export interface Plan {
  readonly status: Status;
  /** Money/h of all models. */
  readonly cost: number;
  /** Proven lower limit on cost and (cost - bound) / cost; null when not all demand can be served. */
  readonly bound: number | null;
  readonly gap: number | null;
  readonly models: readonly ModelPlan[];
  readonly solve: { readonly milliseconds: number; readonly nodes: number };
}

/** Where requests of some input sizes go. Together the classes of a model reach from 0 to infinity. */
export interface RoutingClass {
  /** Input tokens, from (included) and to (not included); null = no end. */
  readonly fromTokens: number;
  readonly toTokens: number | null;
  /** By `namespace/deployment`; they sum to 1. */
  readonly shares: Readonly<Record<string, number>>;
}

/** What a router follows: one document per model, renewed each tick. */
export interface RoutingPlan {
  readonly version: 1;
  readonly model: string;
  /** Unix s; after `expires` it is not to be followed. */
  readonly created: number;
  readonly expires: number;
  readonly classes: readonly RoutingClass[];
  /** Replicas by `namespace/deployment`: those that are Ready now, for which the shares are, and those that are planned. */
  readonly ready: Readonly<Record<string, number>>;
  readonly planned: Readonly<Record<string, number>>;
  /** Requests in flight that one replica was measured with at its throughput within the SLO; absent = not known. */
  readonly concurrency?: Readonly<Record<string, number>>;
}

/** Requests that a gateway holds for a model that has no replica. */
export interface HeldRequests {
  readonly model: string;
  /** When this was written (Unix s). */
  readonly at: number;
  readonly requests: number;
  /** Tokens of them together: input, and output as expected. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the engines of a model say at a time (Unix s). */
export interface EngineSample {
  readonly at: number;
  /** Requests in them, running and waiting. */
  readonly inFlight: number;
  /** Requests that have ended since each of them was first heard; null = one of them does not count that. */
  readonly ended: number | null;
}

/** What gpumix tells the autoscaler of one Deployment. */
export interface Target {
  readonly namespace: string;
  readonly deployment: string;
  /** Labels of the Deployment, for label selectors. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the HPA should reach, and the time of the data behind it (Unix seconds); or why there is no answer. */
  readonly decision: Decision | { readonly unavailable: string };
  /** What readers that take an error for zero get instead of one: the last good target, else spec.replicas. */
  readonly standing: Decision;
}

/** Replicas, and the time of the data behind them (Unix s). */
export interface Decision {
  readonly replicas: number;
  readonly asOf: number;
  /** Taken over from an earlier leader: until there is one of our own, no less than what runs is published. */
  readonly restored?: boolean;
  /** The model was idle: it follows the label `model.aibrix.ai/min_replicas` as that is now. */
  readonly idle?: boolean;
  /** How many of them are beyond the plan, and only wait for a GPU that may come; absent = none. */
  readonly waiting?: number;
}

/** A pod of a Deployment that carries a model, in any phase. */
export interface ModelPod {
  readonly namespace: string;
  readonly name: string;
  readonly deployment: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A plan and its place in the order of all plans: of one installation by Lease, and of one Lease by (transitions, sequence). */
export interface PlanToKeep {
  /** `namespace/name` of the installation's Service. */
  readonly installation: string;
  /** uid of the Lease under which it was made, and when that was created (Unix s). */
  readonly lease: string;
  readonly leaseCreatedAt: number;
  readonly transitions: number;
  readonly sequence: number;
  /** The store's clock (Unix s). */
  readonly at: number;
  readonly document: string;
}
