import type { ModelPlan, RoutedDemand, RoutingClass, RoutingPlan } from '../domain.ts';

/**
 * The classes that a plan routes by, as far as a router can tell them apart when a request arrives: by input size. Sizes
 * that differ in output only are one class, each with its weight; the border between two is their geometric mean.
 */
export const classesOf = ({ routing }: Pick<ModelPlan, 'routing'>): readonly RoutingClass[] => {
  const byInput = [...Map.groupBy(routing, ({ inputTokens }) => inputTokens)].sort(([a], [b]) => a - b);
  const border = (index: number): number => {
    const [below, above] = [byInput[index - 1]![0], byInput[index]![0]];
    return Math.ceil(Math.sqrt(Math.max(1, below) * Math.max(1, above)));
  };
  return byInput.map(([, rows], index) => ({
    fromTokens: index === 0 ? 0 : border(index),
    toTokens: index === byInput.length - 1 ? null : border(index + 1),
    shares: sharesOf(rows),
  }));
};

const sharesOf = (rows: readonly RoutedDemand[]): Readonly<Record<string, number>> => {
  const sums = new Map<string, number>();
  for (const { arrivalRate, shares } of rows)
    for (const [variant, share] of Object.entries(shares))
      sums.set(variant, (sums.get(variant) ?? 0) + arrivalRate * share);
  return normalized([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
};

/**
 * The same classes for the replicas that are Ready now: a variant takes its share in the measure of its replicas that are
 * there. Where none of a class's own is Ready its requests go to the others, in proportion to their replicas; where nothing is Ready at all
 * the shares stay as planned.
 */
export const classesForReady = (
  classes: readonly RoutingClass[],
  routedFor: Readonly<Record<string, number>>,
  ready: Readonly<Record<string, number>>,
): readonly RoutingClass[] =>
  classes.map((one) => {
    const present = Object.entries(one.shares).map(
      ([variant, share]) => [variant, share * presence(ready[variant] ?? 0, routedFor[variant] ?? 0)] as const,
    );
    const some = (weights: readonly (readonly [string, number])[]) => weights.some(([, weight]) => weight > 0);
    const others = Object.entries(ready);
    return { ...one, shares: some(present) ? normalized(present) : some(others) ? normalized(others) : one.shares };
  });

const presence = (ready: number, before: number): number => (before > 0 ? Math.min(1, ready / before) : 0);

const normalized = (weights: readonly (readonly [string, number])[]): Readonly<Record<string, number>> => {
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  return Object.fromEntries(weights.flatMap(([name, weight]) => (weight > 0 ? [[name, weight / sum]] : [])));
};

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
