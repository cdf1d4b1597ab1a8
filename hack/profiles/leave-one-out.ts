import type { Profile } from '../../src/profiles/profile-document.ts';
import { throughputAt } from '../../src/profiles/throughput.ts';
import { quantile } from './calibrate.ts';
import { bySize, measuredPoints, type Point } from './measured.ts';

/** Throughput of one size within one limit on the time per token. */
interface Cell {
  readonly input: number;
  readonly output: number;
  readonly rate: number;
}

/** Errors of what the planner makes of a size that its profile does not have, by how it was left out. */
export interface LeftOut {
  readonly group: string;
  readonly sizes: number;
  /** |predicted / measured - 1| of sizes between two others, and of sizes beyond the last. */
  readonly interpolated: readonly number[];
  readonly extrapolated: readonly number[];
}

/** Limits on the mean time per token (s), among what was measured. */
const limits = [0.01, 0.015, 0.02, 0.03];

/**
 * Leaves each measured size out and asks the planner's own interpolation for it, along its row and along its column of the
 * grid; within several limits on the time per token, between the concurrencies that were measured. Where a size was measured
 * at one concurrency only, its throughput there counts.
 */
export const leftOut = (model: string): readonly LeftOut[] =>
  [
    ...Map.groupBy(
      measuredPoints().filter((point) => point.model === model),
      ({ group }) => group,
    ),
  ].map(([group, points]) => {
    const sizes = [...bySize(points).values()];
    const grids = sizes.every((some) => some.length === 1)
      ? [points]
      : limits.map((limit) => sizes.flatMap((some) => cellWithin(some, limit) ?? []));
    const errors = grids.flatMap((cells) => cells.flatMap((cell) => predictions(cells, cell)));
    const of = (inside: boolean) => errors.flatMap((one) => (one.inside === inside ? [one.error] : []));
    return { group, sizes: sizes.length, interpolated: of(true), extrapolated: of(false) };
  });

/** Between the two concurrencies whose times per token are around the limit, in logarithms; null where it is not between any. */
const cellWithin = (points: readonly Point[], limit: number): Cell | null => {
  const sorted = points.toSorted((a, b) => a.tpot - b.tpot);
  const above = sorted.findIndex(({ tpot }) => tpot > limit);
  const [low, high] = [sorted[above - 1], sorted[above]];
  if (low === undefined || high === undefined) return null;
  const part = Math.log(limit / low.tpot) / Math.log(high.tpot / low.tpot);
  return { input: low.input, output: low.output, rate: low.rate * (high.rate / low.rate) ** part };
};

const predictions = (cells: readonly Cell[], cell: Cell): readonly { readonly error: number; readonly inside: boolean }[] =>
  (['input', 'output'] as const).flatMap((axis) => {
    const across = axis === 'input' ? 'output' : 'input';
    const others = cells
      .filter((other) => other[across] === cell[across] && other[axis] !== cell[axis])
      .sort((a, b) => a[axis] - b[axis]);
    if (others.length < 2) return [];
    const predicted = throughputAt(lineOf(others), cell.input, cell.output).throughput;
    const inside = cell[axis] > others[0]![axis] && cell[axis] < others.at(-1)![axis];
    return [{ error: Math.abs(predicted / cell.rate - 1), inside }];
  });

/** A profile of one row or column. */
const lineOf = (cells: readonly Cell[]): Profile => ({
  deployment: 'd',
  inputTokens: [...new Set(cells.map(({ input }) => input))],
  outputTokens: [...new Set(cells.map(({ output }) => output))],
  throughput: cells.map(({ rate }) => rate),
  e2eSeconds: null,
  slo: null,
  cost: 1,
  gpu: null,
  gpusPerReplica: null,
  created: null,
});

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const median = (errors: readonly number[]): string => (errors.length === 0 ? '-' : percent(quantile(errors, 0.5)));

/** The errors as a table, by kind of replica and then by GPU. */
export const leftOutTable = (model: string): readonly string[] => {
  const all = leftOut(model);
  const sum = (some: readonly LeftOut[], group: string): LeftOut => ({
    group,
    sizes: some.reduce((total, { sizes }) => total + sizes, 0),
    interpolated: some.flatMap(({ interpolated }) => interpolated),
    extrapolated: some.flatMap(({ extrapolated }) => extrapolated),
  });
  const systems = [...Map.groupBy(all, ({ group }) => group.split('_')[0]!.toUpperCase())].map(([gpu, some]) =>
    sum(some, `**${gpu}, all**`),
  );
  return [
    '| measured | sizes | left out between others | median error | largest | left out at the edge | median error |',
    '|---|---|---|---|---|---|---|',
    ...[...all, ...systems, sum(all, '**all**')].map(
      ({ group, sizes, interpolated, extrapolated }) =>
        `| ${group} | ${sizes} | ${interpolated.length} | ${median(interpolated)} | ${interpolated.length === 0 ? '-' : percent(Math.max(...interpolated))} | ${extrapolated.length} | ${median(extrapolated)} |`,
    ),
  ];
};
