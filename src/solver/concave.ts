import { DenseSimplex } from './dense-simplex.ts';
import type { WorkBudget } from './work-budget.ts';

/** Value of a concave function at a point, and a slope there: value(x) <= value + slope . (x - point) for every x. */
export interface Tangent {
  readonly value: number;
  readonly slope: Float64Array;
}

/** Where a search for a maximum begins and may go, and when it has found enough. */
export interface Search {
  readonly start: Float64Array;
  readonly least: Float64Array;
  readonly most: Float64Array;
  /** Half a side of the trust region at the start. */
  readonly radius: number;
  /** What the tangents must promise beyond a value, for the search to go on from there. */
  readonly enough: (value: number) => number;
  readonly rounds: number;
  readonly work?: WorkBudget;
}

/**
 * Maximises a concave function of a few variables over least <= x <= most by its tangents (Kelley's cutting planes) within a
 * trust region: the next point is the best by the tangents so far near the best point so far; the region grows where that
 * holds what it promised and shrinks where not. Stops when the tangents promise less than `enough`, after so many rounds, or
 * with the work.
 */
export const maximise = (
  at: (x: Float64Array) => Tangent,
  { start, least, most, radius, enough, rounds, work }: Search,
): { readonly x: Float64Array; readonly value: number } => {
  const size = start.length;
  let best = { x: start.slice(), ...at(start) };
  const reach = 1e12;
  const simplex = new DenseSimplex([...start.map(() => 0), -1], [...least, -reach], [...most, reach], work);
  let region = radius;
  const origin = best.value;
  // theta, less the value at the start, is the last variable: theta - slope . x <= value - slope . point.
  const cut = (x: Float64Array, { value, slope }: Tangent) => {
    const right = slope.reduce((sum, s, i) => sum - s * x[i]!, value - origin);
    simplex.addRow([...slope.map((s) => -s), 1], Number.NEGATIVE_INFINITY, right);
  };
  cut(best.x, best);
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < size; i++) {
      simplex.lower[i] = Math.max(least[i]!, best.x[i]! - region);
      simplex.upper[i] = Math.min(most[i]!, best.x[i]! + region);
    }
    const solved = simplex.solve();
    if (solved === null || work?.spent) break;
    const promised = -solved.value + origin - best.value;
    const onEdge = best.x.some(
      (_, i) =>
        stoppedByRegion(solved.v[i]!, simplex.lower[i]!, least[i]!) || stoppedByRegion(solved.v[i]!, simplex.upper[i]!, most[i]!),
    );
    if (promised <= enough(best.value)) {
      if (!onEdge) break;
      region *= 4;
      continue;
    }
    const x = Float64Array.from(start, (_, i) => Math.min(most[i]!, Math.max(least[i]!, solved.v[i]!)));
    const tangent = at(x);
    cut(x, tangent);
    const gained = tangent.value - best.value;
    if (gained > 0) best = { x, ...tangent };
    if (gained > 0.5 * promised) region *= 2;
    else if (gained < 0.1 * promised) region = region / 2;
  }
  return { x: best.x, value: best.value };
};

/** A variable that the simplex left at its bound is there to the last digits. */
const edgeTolerance = 1e-12;

/** Whether the trust region, not the limit itself, stops a variable. */
const stoppedByRegion = (x: number, edge: number, limit: number): boolean =>
  edge !== limit && Math.abs(x - edge) < edgeTolerance * (1 + Math.abs(edge));
