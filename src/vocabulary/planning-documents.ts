/**
 * The documents that everything passes through: a snapshot is the planner's whole input as of one instant, a plan is its answer.
 *
 * Units: times are seconds, rates requests per second (req/s), money is per hour. Arrays over a bucket grid are
 * row-major, input x output.
 */

/** What the router in front of a model knows of a request when it chooses a replica. */
export type RouterKnowledge = 'size' | 'input' | 'load' | 'none';
export const routerKnowledges: readonly RouterKnowledge[] = ['size', 'input', 'load', 'none'];

/** Requests of one size and how many of them arrive. */
export interface DemandRow {
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** λ, requests arriving per second, headroom included (req/s). */
  readonly arrivalRate: number;
}

/** Of all rows (req/s). */
export const totalRate = (demand: readonly Pick<DemandRow, 'arrivalRate'>[]): number => {
  let sum = 0;
  for (let row = 0; row < demand.length; row += 1) sum += demand[row]!.arrivalRate;
  return sum;
};

/**
 * What holds the replicas of a variant where no autoscaler's bounds do: a hand, a target that nobody follows, pods that do not
 * come; or a new profile, which lowers nothing until it has proven itself.
 */
export type Hold = 'paused' | 'pinned' | 'notFollowed' | 'outOfStock' | 'newProfile';
export const allHolds: readonly Hold[] = ['paused', 'pinned', 'notFollowed', 'outOfStock', 'newProfile'];

/** What keeps a variant from growing, and what keeps it from shrinking; null = its autoscaler, or nothing. */
export const holdFromAbove = ({ heldBy }: Pick<Variant, 'heldBy'>): Exclude<Hold, 'newProfile'> | null =>
  heldBy === undefined || heldBy === 'newProfile' ? null : heldBy;
export const holdFromBelow = ({ heldBy }: Pick<Variant, 'heldBy'>): Exclude<Hold, 'outOfStock'> | null =>
  heldBy === undefined || heldBy === 'outOfStock' ? null : heldBy;

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
  /** Where the bounds are from; absent = from its autoscaler. It changes no plan, only the reasons that are told. */
  readonly heldBy?: Hold;
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
  readonly routing?: RouterKnowledge;
  readonly demand: readonly DemandRow[];
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
  readonly routing: RouterKnowledge;
  /** Nodes of one search after which it stops with what it has; null = the solver's own limit. */
  readonly nodeLimit?: number | null;
  /** Units of work of the whole solve, about a microsecond each, after which it stops with what it has; null = no limit. */
  readonly workLimit?: number | null;
}

/**
 * `optimal`: cost proven to a relative gap of 1e-9. `feasible`: stopped with an incumbent and a bound.
 * `infeasible`: not all demand is served; by how much more might be, at the most, says {@link Plan.servedGap}.
 */
export type Status = 'optimal' | 'feasible' | 'infeasible';

/** Whether there is a mix for all demand. */
export const servesAll = ({ status }: { readonly status: Status }): boolean => status === 'optimal' || status === 'feasible';

/**
 * Why some demand is not served. `profile`: no profile of the model serves anything at all. A {@link Hold} where no autoscaler's
 * maximum is what binds.
 */
export type Shortage = 'stock' | 'maxReplicas' | 'budget' | 'profile' | Exclude<Hold, 'newProfile'>;

/** One row of demand and the share of it that each variant takes; shares sum to 1. */
export interface RoutedDemand extends DemandRow {
  readonly shares: Readonly<Record<string, number>>;
}

export interface UnservedDemand extends DemandRow {
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
  readonly beyondSlo: readonly DemandRow[];
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
  /**
   * Share of all demand that may be servable beyond what is served; 0 = it is proven that no more can be. Null
   * when all is served.
   */
  readonly servedGap: number | null;
  readonly models: readonly ModelPlan[];
  /** What it took; `work` in the units of a snapshot's `workLimit`. */
  readonly solve: { readonly milliseconds: number; readonly nodes: number; readonly work: number };
}
