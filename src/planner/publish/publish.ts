import type { TickOutcome } from '../report/tick-outcome.ts';
import type { Board } from './board.ts';

export interface PublishParts {
  readonly board: { publish(...said: Parameters<Board['publish']>): void | Promise<void> };
  /** Unix seconds, our own clock. */
  clock(): number;
  /** Lets the other replicas know, before anything is published here; absent where there are none. */
  tellReplicas?(decided: TickOutcome, now: number): Promise<ReplicasTold>;
  /** Tells routers where requests go, after it is published; absent where nobody listens. Answers what is wrong. */
  tellRouters?(decided: TickOutcome, ready: (key: string) => number, now: number): Promise<readonly string[]>;
}

export interface ReplicasTold {
  /** Another replica leads by now: what was decided here is void. */
  readonly superseded: boolean;
  readonly problems: readonly string[];
}

/**
 * The last stage of a tick: to the other replicas, then to the board, from which the API and the metrics are served, then to
 * routers.
 * @returns what is wrong, one line each
 */
export const publish = async (
  decided: TickOutcome,
  { now, ready }: { readonly now: number; readonly ready: ReadonlyMap<string, number> },
  { board, clock, tellReplicas, tellRouters }: PublishParts,
): Promise<readonly string[]> => {
  const told = await tellReplicas?.(decided, now);
  if (told?.superseded) return told.problems;
  await board.publish(decided, clock());
  const routeProblems = await tellRouters?.(decided, (key) => ready.get(key) ?? 0, now);
  return [...(told?.problems ?? []), ...(routeProblems ?? [])];
};
