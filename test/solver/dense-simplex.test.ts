import loadHighs from 'highs';
import { expect, test } from 'vitest';
import { DenseSimplex } from '../../src/solver/dense-simplex.ts';
import { Random } from './random.ts';

const highs = await (loadHighs as unknown as typeof loadHighs.default)();

interface Row {
  readonly row: readonly number[];
  readonly most: number;
}

const peer = (
  cost: readonly number[],
  lower: readonly number[],
  upper: readonly number[],
  rows: readonly Row[],
): number | null => {
  const sum = (row: readonly number[]) => row.map((value, j) => `${value < 0 ? '-' : '+'} ${Math.abs(value)} v${j}`).join(' ');
  const text = [
    ...['Minimize', ` cost: ${sum(cost)}`, 'Subject To', ...rows.map(({ row, most }, i) => ` r${i}: ${sum(row)} <= ${most}`)],
    ...['Bounds', ...lower.map((low, j) => ` ${low} <= v${j} <= ${upper[j]}`), 'End'],
  ].join('\n');
  const solution = highs.solve(text);
  return solution.Status === 'Optimal' ? solution.ObjectiveValue : null;
};

test('150 linear programs, rows added and bounds moved on the way, cost the same as by HiGHS', () => {
  const seen = { optimal: 0, infeasible: 0, pivots: 0 };
  for (let i = 0; i < 150; i++) {
    const random = new Random(i);
    const size = random.whole(2, 8);
    const vector = (low: number, high: number) =>
      Array.from({ length: size }, () => Math.round(random.between(low, high) * 100) / 100);
    const [cost, upper] = [vector(-3, 5), vector(2, 9)];
    const lower = upper.map((high) => (random.chance(0.3) ? Math.min(high, 1) : 0));
    const simplex = new DenseSimplex(cost, lower, upper);
    const rows: Row[] = [];
    for (let step = 0; step < 12; step++) {
      const row = vector(-2, 2).map((value) => (random.chance(0.3) ? 0 : value));
      const most = Math.round(random.between(-6, 8) * 100) / 100;
      rows.push({ row, most });
      simplex.addRow(row, Number.NEGATIVE_INFINITY, most);
      const j = random.whole(0, size - 1);
      if (random.chance(0.4)) {
        lower[j] = random.whole(0, Math.floor(upper[j]!));
        simplex.lower[j] = lower[j]!;
      }
      const solved = simplex.solve();
      const expected = peer(cost, lower, upper, rows);
      if (expected === null) {
        expect(solved, `${i} ${step}`).toBeNull();
        seen.infeasible++;
        break;
      }
      expect(solved!.value, `${i} ${step}`).toBeCloseTo(expected, 5);
      seen.optimal++;
    }
    seen.pivots += simplex.pivots;
  }
  expect(seen.optimal).toBeGreaterThan(500);
  expect(seen.infeasible).toBeGreaterThan(20);
  expect(seen.pivots).toBeGreaterThan(500);
});
