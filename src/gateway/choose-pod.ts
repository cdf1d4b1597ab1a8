import type { RoutingPlan } from '../vocabulary/routing-plan.ts';
import { hasNoPods, type Pod, type Variants } from './model-pods.ts';

/**
 * Why a pod was chosen: by the plan; beside it, as the plan's own variants are full, gone or failing; without a plan; or as it
 * keeps the response that the request goes on from.
 */
export type ChoiceReason = 'plan' | 'fallback' | 'no plan' | 'response';

/** A place at a pod, and why it is at this one. */
export interface Place {
  readonly pod: Pod;
  readonly why: ChoiceReason;
}

/** `full`: all that may be asked have as much as they can take, or rest. `none`: nothing is Ready. `tried`: every pod was. */
export type PodChoice = Place | 'full' | 'none' | 'tried';

export interface PodQuestion {
  readonly variants: Variants;
  /** What is followed now; null = there is none, or it has expired. */
  readonly plan: RoutingPlan | null;
  readonly inputTokens: number;
  /** Pods that have refused this request. */
  readonly tried: ReadonlySet<Pod>;
  /** s */
  readonly now: number;
}

/**
 * Chooses pods for one model: the variant by the plan's shares for the request's size, in turns and not by chance, and in it
 * the pod with the least outstanding work. A variant holds at most `overflow` times the requests in flight that its profile
 * was measured at; then the others of the class take its turn, then any other.
 */
export const chooser = (overflow: number) => {
  const turns = new Map<number, ReturnType<typeof weightedTurns>>();
  return ({ variants, plan, inputTokens, tried, now }: PodQuestion): PodChoice => {
    if (hasNoPods(variants)) return 'none';
    const untried = [...variants].map(([name, pods]) => [name, pods.filter((pod) => !tried.has(pod))] as const);
    if (!untried.some(([, pods]) => pods.length > 0)) return 'tried';
    const rested = untried.map(([name, pods]) => [name, pods.filter((pod) => pod.restsUntil <= now)] as const);
    // Where all rest, one is tried all the same.
    const usable = rested.some(([, pods]) => pods.length > 0) ? rested : untried;
    const open = new Map(usable.filter(([name, pods]) => pods.length > 0 && !isFull(variants.get(name)!, plan, overflow)));
    if (open.size === 0) return 'full';
    const routingClass = plan?.classes.find(({ toTokens }) => toTokens === null || inputTokens < toTokens);
    if (routingClass === undefined) return { pod: leastOutstanding([...open.values()].flat()), why: 'no plan' };
    const weights = Object.fromEntries(Object.entries(routingClass.shares).filter(([name]) => open.has(name)));
    let turn = turns.get(routingClass.fromTokens);
    if (turn === undefined) {
      if (turns.size >= mostClasses) turns.clear();
      turn = weightedTurns();
      turns.set(routingClass.fromTokens, turn);
    }
    const name = turn(weights);
    return name === null
      ? { pod: leastOutstanding([...open.values()].flat()), why: 'fallback' }
      : { pod: leastOutstanding(open.get(name)!), why: 'plan' };
  };
};

/** Classes move as sizes come and go; turns of those that are gone need not be kept. */
const mostClasses = 1000;

const isFull = (pods: readonly Pod[], plan: RoutingPlan | null, overflow: number): boolean => {
  const each = plan?.concurrency?.[pods[0]!.variant];
  if (each === undefined) return false;
  const inFlight = pods.reduce((sum, { requests }) => sum + requests, 0);
  return inFlight >= Math.ceil(each * overflow * pods.length);
};

/** Of several with as little the one that was given least, so that idle pods take turns. */
const leastOutstanding = (pods: readonly Pod[]): Pod =>
  pods.reduce((least, pod) => {
    const more = pod.outstandingTokens - least.outstandingTokens;
    return more < 0 || (more === 0 && pod.given < least.given) ? pod : least;
  });

/**
 * Whose turn it is, by weight: over any stretch each gets its share to within one turn, without chance. Each gains its
 * weight, the richest has its turn and pays the sum (smooth weighted round robin, as in nginx).
 * @example
 * const turns = weightedTurns();
 * [1, 2, 3, 4].map(() => turns({ a: 3, b: 1 })) // => ['a', 'a', 'b', 'a']
 */
export const weightedTurns = () => {
  const credit = new Map<string, number>();
  /** @param weights above 0; those who are left out keep nothing of what they had */
  return (weights: Readonly<Record<string, number>>): string | null => {
    const names = Object.keys(weights);
    if (names.length === 1) return names[0]!;
    for (const name of credit.keys()) if (weights[name] === undefined) credit.delete(name);
    let [richest, most, sum] = [null as string | null, Number.NEGATIVE_INFINITY, 0];
    for (const name of names) {
      const weight = weights[name]!;
      const have = (credit.get(name) ?? 0) + weight;
      credit.set(name, have);
      sum += weight;
      if (have > most + 1e-12) [richest, most] = [name, have];
    }
    if (richest !== null) credit.set(richest, most - sum);
    return richest;
  };
};
