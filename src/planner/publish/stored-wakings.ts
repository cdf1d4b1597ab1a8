import type { Shape } from '../believe/rates-and-shapes.ts';
import type { Habit, WakingHistory } from '../believe/waking-ahead.ts';

/** There are many: times and rates in turn, and of the sizes only their mean. */
interface StoredWaking extends Pick<WakingHistory, 'idleFrom' | 'idleAt' | 'began'> {
  readonly size: readonly [inputTokens: number, outputTokens: number] | null;
  readonly habits: readonly (readonly [next: number, days: readonly (number | null)[]])[];
}

/** Of names with a habit; of others there is nothing that the next leader would not see at once. */
export const encodedWakings = (wakings: ReadonlyMap<string, WakingHistory>): readonly (readonly [string, StoredWaking])[] =>
  [...wakings]
    .filter(([, { habits }]) => habits.length > 0)
    .map(([name, { shape, habits, ...rest }]) => {
      const stored = habits.map(({ next, days }) => [next, days.flatMap(({ at, rate }) => [at, rounded(rate)])] as const);
      return [name, { ...rest, size: shape === null ? null : meanSize(shape), habits: stored }] as const;
    });

export const decodedWakings = (stored: readonly (readonly [string, StoredWaking])[]): ReadonlyMap<string, WakingHistory> =>
  new Map(
    stored.map(([name, { size, habits, ...rest }]) => [
      name,
      {
        ...rest,
        shape: size === null ? null : [{ inputTokens: size[0], outputTokens: size[1], share: 1 }],
        habits: habits.map(([next, flat]) => ({ next, days: daysOf(flat) })),
      },
    ]),
  );

const rounded = (rate: number | null): number | null => (rate === null ? null : Number(rate.toPrecision(4)));

const meanSize = (shape: Shape): readonly [number, number] => {
  const mean = (key: 'inputTokens' | 'outputTokens') => Math.round(shape.reduce((sum, size) => sum + size.share * size[key], 0));
  return [mean('inputTokens'), mean('outputTokens')];
};

const daysOf = (flat: readonly (number | null)[]): Habit['days'] =>
  flat.flatMap((at, index) => (index % 2 === 0 && at !== null ? [{ at, rate: flat[index + 1] ?? null }] : []));
