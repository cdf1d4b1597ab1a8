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
  /** Limit of the profiles on the time to the first token; absent = none has one. */
  readonly ttftSeconds?: number;
}

/**
 * Reads a document as it is in the store.
 * @returns the plan, or what is wrong with it in one line
 */
export const readRoutingPlan = (text: string): RoutingPlan | string => {
  let plan: Partial<RoutingPlan>;
  try {
    plan = JSON.parse(text) as Partial<RoutingPlan>;
  } catch {
    return 'is no JSON';
  }
  if (typeof plan !== 'object' || plan === null) return 'is no object';
  if (plan.version !== 1) return `is of version ${String(plan.version)}; this gateway reads version 1`;
  if (typeof plan.expires !== 'number') return 'has no time at which it expires';
  const { classes } = plan;
  if (!Array.isArray(classes) || classes.length === 0) return 'has no classes';
  const wrong = classes.findIndex(
    (one: Partial<RoutingClass>, index) =>
      !(typeof one.fromTokens === 'number' && isEndOf(one.toTokens, classes[index + 1])) || !areShares(one.shares),
  );
  return wrong === -1 ? (plan as RoutingPlan) : `breaks its format in classes[${wrong}]`;
};

/** Each class ends where the next one begins, the last one nowhere. */
const isEndOf = (toTokens: unknown, next: Partial<RoutingClass> | undefined): boolean =>
  next === undefined ? toTokens === null : typeof toTokens === 'number' && toTokens === next.fromTokens;

const areShares = (shares: unknown): boolean =>
  typeof shares === 'object' && shares !== null && Object.values(shares).every((share) => share > 0 && share <= 1.001);
