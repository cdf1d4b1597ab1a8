import { LuDecomposition, Matrix } from 'ml-matrix';
import { boundlessWork, cellWork, type WorkBudget } from './work-budget.ts';

/** Pivots after which the tableau is computed afresh from the rows. */
const refactorisationInterval = 150;
/** A variable this far beyond a bound is put back to it; a reduced cost this far below 0 is not dual feasible. */
const feasibilityTolerance = 1e-9;
/** A smaller one would blow up what rounding has left in its row. */
const smallestPivot = 1e-8;
/** The ratio test lets reduced costs pass 0 by so much, and takes the largest pivot among those that do (Harris). */
const ratioSlack = 1e-10;
/** By how much a solution may be off a row (share of 1 + its activity) before the basis counts as lost. */
const rowTolerance = 1e-7;

/**
 * A bounded dual simplex on a dense tableau, for linear programs of few variables and many rows that come one by one:
 *
 *   minimise cost . v   with  lower <= v <= upper (both finite)  and  rowLower <= A v <= rowUpper
 *
 * Every row's activity is a variable too. With n variables nonbasic, each at one of its bounds, the basic ones follow as
 * x_B = T x_N; T starts as A. Bounds may change and rows may be added at any time: the basis stays dual feasible.
 */
export class DenseSimplex {
  readonly lower: number[];
  readonly upper: number[];
  pivots = 0;
  /** Cells of the tableau visited, a measure of time that is the same on every machine. */
  work = 0;
  private readonly budget: WorkBudget;
  private readonly cost: readonly number[];
  private readonly size: number;
  /** A, one row after the other. */
  private readonly rows: number[][] = [];
  /** T, and the reduced cost of the nonbasic. Variables from `size` on are the activities of the rows. */
  private tableau: Float64Array[] = [];
  private reduced: Float64Array;
  private readonly basicAt: number[] = [];
  private readonly nonbasic: number[];
  private readonly high: Uint8Array;
  private sinceRefactorisation = 0;
  /** Whether there was no solve since the basis was made of the rows alone. */
  private fresh = true;

  constructor(cost: readonly number[], lower: readonly number[], upper: readonly number[], budget: WorkBudget = boundlessWork) {
    this.budget = budget;
    this.cost = cost;
    this.size = cost.length;
    this.lower = [...lower];
    this.upper = [...upper];
    this.reduced = Float64Array.from(cost);
    this.nonbasic = cost.map((_, j) => j);
    this.high = Uint8Array.from(cost, (price) => (price < 0 ? 1 : 0));
  }

  get rowCount(): number {
    return this.rows.length;
  }

  addRow(row: readonly number[], rowLower: number, rowUpper: number): void {
    const expressed = new Float64Array(this.size);
    const place = new Map(this.basicAt.map((variable, i) => [variable, i]));
    const column = new Map(this.nonbasic.map((variable, j) => [variable, j]));
    row.forEach((coefficient, variable) => {
      if (coefficient === 0) return;
      const j = column.get(variable);
      if (j !== undefined) expressed[j]! += coefficient;
      else {
        const basicRow = this.tableau[place.get(variable)!]!;
        for (let k = 0; k < this.size; k++) expressed[k]! += coefficient * basicRow[k]!;
      }
    });
    this.basicAt.push(this.size + this.rows.length);
    this.rows.push([...row]);
    this.tableau.push(expressed);
    this.lower.push(rowLower);
    this.upper.push(rowUpper);
  }

  /**
   * Value and v at the optimum, or where the work ended; null where the rows and bounds contradict each other. What comes out
   * of a worn basis is checked against A itself; where that fails, or before it says null, it starts again from the rows.
   */
  solve(): { readonly value: number; readonly v: Float64Array } | null {
    const first = this.iterate();
    const made = this.fresh;
    this.fresh = false;
    if (made || (first !== null && this.sound(first.v))) return first;
    this.restart();
    this.fresh = false;
    return this.iterate();
  }

  private iterate(): { readonly value: number; readonly v: Float64Array } | null {
    this.turnReleased();
    for (let iteration = 0; iteration < 5_000; iteration++) {
      this.visited(2 * this.rows.length * this.size);
      const values = this.basicValues();
      const leaving = this.leaving(values);
      if (leaving < 0 || this.budget.spent) return this.solution(values);
      const short = values[leaving]! < this.lower[this.basicAt[leaving]!]!;
      const entering = this.entering(leaving, short);
      if (entering < 0) return null;
      this.pivot(leaving, entering, short);
    }
    return this.solution(this.basicValues());
  }

  private visited(cells: number): void {
    this.work += cells;
    this.budget.charge(1 + cells * cellWork);
  }

  /** Whether v keeps the rows, and no reduced cost of a row has the sign that would lower the value further. */
  private sound(v: Float64Array): boolean {
    const keeps = this.rows.every((row, i) => {
      let activity = 0;
      for (let j = 0; j < this.size; j++) activity += row[j]! * v[j]!;
      const tolerance = rowTolerance * (1 + Math.abs(activity));
      return activity >= this.lower[this.size + i]! - tolerance && activity <= this.upper[this.size + i]! + tolerance;
    });
    return (
      keeps &&
      this.nonbasic.every(
        (variable, j) => variable < this.size || (this.high[j] === 1 ? -1 : 1) * this.reduced[j]! >= -feasibilityTolerance,
      )
    );
  }

  private restart(): void {
    this.tableau = this.rows.map((row) => Float64Array.from(row));
    this.reduced = Float64Array.from(this.cost);
    for (let j = 0; j < this.size; j++) {
      this.nonbasic[j] = j;
      this.high[j] = this.cost[j]! < 0 ? 1 : 0;
    }
    for (let i = 0; i < this.rows.length; i++) this.basicAt[i] = this.size + i;
    this.sinceRefactorisation = 0;
    this.fresh = true;
  }

  /** A variable that was fixed may have left its reduced cost with either sign: released, it belongs at the other bound. */
  private turnReleased(): void {
    this.nonbasic.forEach((variable, j) => {
      if (variable < this.size && this.reduced[j] !== 0) this.high[j] = this.reduced[j]! < 0 ? 1 : 0;
    });
  }

  private value(j: number): number {
    const variable = this.nonbasic[j]!;
    return this.high[j] === 1 ? this.upper[variable]! : this.lower[variable]!;
  }

  private basicValues(): Float64Array {
    const { size, tableau } = this;
    const values = new Float64Array(tableau.length);
    for (let j = 0; j < size; j++) {
      const at = this.value(j);
      if (at !== 0) for (let i = 0; i < tableau.length; i++) values[i]! += tableau[i]![j]! * at;
    }
    return values;
  }

  /** Row of the basic variable farthest outside its bounds, relative to their size. */
  private leaving(values: Float64Array): number {
    let [row, worst] = [-1, feasibilityTolerance];
    this.basicAt.forEach((variable, i) => {
      const outside = Math.max(this.lower[variable]! - values[i]!, values[i]! - this.upper[variable]!);
      const relative = outside / (1 + Math.abs(values[i]!));
      if (relative > worst) [row, worst] = [i, relative];
    });
    return row;
  }

  /**
   * Dual ratio test in two passes: how far the reduced costs let the step go if each may be off by a trifle, then the largest
   * pivot within that; among equals the lowest variable.
   */
  private entering(leaving: number, short: boolean): number {
    const row = this.tableau[leaving]!;
    const helps = (j: number): number => {
      const variable = this.nonbasic[j]!;
      const change = short ? row[j]! : -row[j]!;
      if (Math.abs(change) < smallestPivot || change > 0 === (this.high[j] === 1)) return 0;
      return this.lower[variable] === this.upper[variable] ? 0 : Math.abs(change);
    };
    let farthest = Number.POSITIVE_INFINITY;
    for (let j = 0; j < this.size; j++) {
      const size = helps(j);
      if (size > 0) farthest = Math.min(farthest, (Math.abs(this.reduced[j]!) + ratioSlack) / size);
    }
    let [column, largest] = [-1, 0];
    for (let j = 0; j < this.size; j++) {
      const size = helps(j);
      if (size > largest && Math.abs(this.reduced[j]!) / size <= farthest) [column, largest] = [j, size];
    }
    return column;
  }

  /** Exchanges basic row i and nonbasic column j: x_j = (x_i - sum_{k != j} T_ik x_k) / T_ij. */
  private pivot(i: number, j: number, short: boolean): void {
    const { size, tableau } = this;
    const row = tableau[i]!;
    const inverse = 1 / row[j]!;
    for (let k = 0; k < size; k++) row[k] = k === j ? inverse : -row[k]! * inverse;
    for (const other of [...tableau, this.reduced]) {
      if (other === row || other[j] === 0) continue;
      const factor = other[j]!;
      for (let k = 0; k < size; k++) other[k] = k === j ? factor * inverse : other[k]! + factor * row[k]!;
    }
    [this.basicAt[i], this.nonbasic[j]] = [this.nonbasic[j]!, this.basicAt[i]!];
    this.high[j] = short ? 0 : 1;
    this.pivots++;
    if (++this.sinceRefactorisation >= refactorisationInterval) this.refactorise();
  }

  /**
   * T afresh. With R the rows whose activity is nonbasic and S the basic variables (as many), r_R = A_RS v_S + A_RN v_N,
   * so v_S = A_RS^-1 (r_R - A_RN v_N); the basic activities follow from A.
   */
  private refactorise(): void {
    const { size } = this;
    this.sinceRefactorisation = 0;
    const basicVariables = this.basicAt.filter((variable) => variable < size);
    if (basicVariables.length === 0) return;
    const nonbasicRows = this.nonbasic.filter((variable) => variable >= size);
    const square = new Matrix(nonbasicRows.map((r) => basicVariables.map((s) => this.rows[r - size]![s]!)));
    const right = new Matrix(
      nonbasicRows.map((r) =>
        this.nonbasic.map((variable) => (variable === r ? 1 : variable < size ? -this.rows[r - size]![variable]! : 0)),
      ),
    );
    this.visited(basicVariables.length ** 2 * (size + basicVariables.length) + this.rows.length * size);
    const decomposition = new LuDecomposition(square);
    if (decomposition.isSingular()) return;
    const expressed = decomposition.solve(right);
    const rowOf = new Map(basicVariables.map((variable, i) => [variable, expressed.getRow(i)]));
    const activity = (coefficients: readonly number[]): Float64Array => {
      const row = Float64Array.from(this.nonbasic, (variable) => (variable < size ? coefficients[variable]! : 0));
      for (const [variable, basicRow] of rowOf) {
        const coefficient = coefficients[variable]!;
        if (coefficient === 0) continue;
        for (let k = 0; k < size; k++) row[k]! += coefficient * basicRow[k]!;
      }
      return row;
    };
    this.tableau = this.basicAt.map((variable) =>
      variable < size ? Float64Array.from(rowOf.get(variable)!) : activity(this.rows[variable - size]!),
    );
    this.reduced = activity(this.cost);
  }

  private solution(values: Float64Array): { value: number; v: Float64Array } {
    const v = new Float64Array(this.size);
    this.nonbasic.forEach((variable, j) => {
      if (variable < this.size) v[variable] = this.value(j);
    });
    this.basicAt.forEach((variable, i) => {
      if (variable < this.size) v[variable] = values[i]!;
    });
    return { value: v.reduce((sum, x, j) => sum + x * this.cost[j]!, 0), v };
  }
}
