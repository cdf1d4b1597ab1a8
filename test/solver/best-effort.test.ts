import loadHighs from 'highs';
import { expect, test } from 'vitest';
import { type FleetInstance, fleetInstance } from '../../hack/bench/instances.ts';
import { fleetOf } from '../../hack/bench/timing.ts';
import { defaultOptions, solve } from '../../src/solver/solve.ts';
import { lineTolerance } from '../../src/solver/tolerances.ts';

const highs = await (loadHighs as unknown as typeof loadHighs.default)();

/** Most classes served within the stock, by HiGHS. */
const mostServed = ({ programs, gpus }: FleetInstance, stock: readonly number[]): number => {
  const servable = programs.map(({ types, classes, loads }) =>
    Array.from({ length: classes }, (_, c) =>
      Array.from({ length: types }, (_, g) => g).filter((g) => loads[c * types + g]! < Number.POSITIVE_INFINITY),
    ),
  );
  const lines = [
    'Maximize',
    ` served: ${servable.flatMap((rows, m) => rows.flatMap((on, c) => on.map((g) => `x${m}_${c}_${g}`))).join(' + ')}`,
    'Subject To',
  ];
  programs.forEach(({ types, loads }, m) => {
    servable[m]!.forEach((on, c) => {
      lines.push(` c${m}_${c}: ${on.map((g) => `x${m}_${c}_${g}`).join(' + ')} <= 1`);
    });
    for (let g = 0; g < types; g++) {
      const terms = servable[m]!.flatMap((on, c) => (on.includes(g) ? [`${loads[c * types + g]} x${m}_${c}_${g}`] : []));
      if (terms.length > 0) lines.push(` g${m}_${g}: ${terms.join(' + ')} - ${1 + lineTolerance} y${m}_${g} <= 0`);
    }
  });
  stock.forEach((count, g) => {
    lines.push(` s${g}: ${programs.map((_, m) => `${gpus[g]} y${m}_${g}`).join(' + ')} <= ${count}`);
  });
  lines.push(
    'General',
    ` ${programs.flatMap(({ types }, m) => Array.from({ length: types }, (_, g) => `y${m}_${g}`)).join(' ')}`,
    'End',
  );
  return highs.solve(lines.join('\n'), { mip_rel_gap: 0, mip_abs_gap: 0 }).ObjectiveValue;
};

test('with a sixth of the stock, as much is served as HiGHS can serve', () => {
  let covered = 0;
  for (let seed = 0; seed < 16; seed++) {
    const given = fleetInstance(5_000 + seed, { types: 3, classes: 8, models: 3 });
    const stock = given.stock.map((count) => Math.floor(count / 6));
    const outcome = solve({ ...fleetOf(given), stock }, { ...defaultOptions, nodeLimit: 2_000_000 });
    if (outcome.status !== 'infeasible') continue;
    covered++;
    const served = outcome.models.reduce((sum, each) => sum + each.served.reduce((part, share) => part + share, 0), 0);
    expect(served, `${seed}`).toBeCloseTo(mostServed(given, stock), 5);
  }
  expect(covered).toBeGreaterThan(10);
});

test('a large fleet in want is served within a limit that is counted, not timed', () => {
  const given = fleetInstance(5_001, { types: 4, classes: 20, models: 10 });
  const stock = given.stock.map((count) => Math.floor(count / 10));
  const fleet = { ...fleetOf(given), stock };
  const [once, again] = [1, 2].map(() => solve(fleet, { ...defaultOptions, nodeLimit: 20_000 }));
  expect(once!.models.map(({ mix }) => [...mix])).toEqual(again!.models.map(({ mix }) => [...mix]));
  expect(once!.models.some(({ served }) => served.some((share) => share > 0))).toBe(true);
});
