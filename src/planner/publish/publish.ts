import type { TickOutcome } from '../report/tick-outcome.ts';
import type { Board } from './board.ts';

export interface PublishParts {
  readonly board: { publish(...published: Parameters<Board['publish']>): void | Promise<void> };
  /** Unix seconds, our own clock. */
  clock(): number;
  /** Tells routers where requests go, after it is published; absent where nobody listens. Answers what is wrong. */
  tellRouters?(decided: TickOutcome, ready: (key: string) => number, now: number): Promise<readonly string[]>;
}

/**
 * The last stage of a tick: what was decided goes to the board, from which the API and the metrics are served, then to routers.
 * @returns what is wrong, one line each
 */
export const publish = async (
  decided: TickOutcome,
  { now, ready }: { readonly now: number; readonly ready: ReadonlyMap<string, number> },
  { board, clock, tellRouters }: PublishParts,
): Promise<readonly string[]> => {
  await board.publish(decided, clock());
  return (await tellRouters?.(decided, (key) => ready.get(key) ?? 0, now)) ?? [];
};
