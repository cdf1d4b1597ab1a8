import type { TickOutcome } from '../report/tick-outcome.ts';
import type { Board } from './board.ts';

export interface PublishParts {
  readonly board: { publish(...said: Parameters<Board['publish']>): void | Promise<void> };
  /** Unix seconds, our own clock. */
  clock(): number;
  /** Lets the other replicas know, before anything is published here; absent where there are none. */
  share?(decided: TickOutcome, now: number): Promise<ShareOutcome>;
  /** Tells routers where requests go, after it is published; absent where nobody listens. Answers what is wrong. */
  route?(decided: TickOutcome, ready: (key: string) => number, now: number): Promise<readonly string[]>;
}

export interface ShareOutcome {
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
  { board, clock, share, route }: PublishParts,
): Promise<readonly string[]> => {
  const shared = await share?.(decided, now);
  if (shared?.superseded) return shared.problems;
  await board.publish(decided, clock());
  const routeProblems = await route?.(decided, (key) => ready.get(key) ?? 0, now);
  return [...(shared?.problems ?? []), ...(routeProblems ?? [])];
};
