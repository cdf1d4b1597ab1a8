/**
 * The work that the searches of one solve may still do, in units of about a microsecond of an ordinary core. It counts steps,
 * not time, so that the same snapshot gives the same plan on every machine. All searches of a solve charge the same budget, each
 * through a part of it. A part that is spent ends its own search only. What a part leaves is there for the searches after it.
 */
export class WorkBudget {
  /** Units charged so far. */
  used = 0;
  private readonly limit: number;
  private readonly whole: WorkBudget | null;

  constructor(limit: number, whole: WorkBudget | null = null) {
    this.limit = limit;
    this.whole = whole;
  }

  charge(units: number): void {
    this.used += units;
    this.whole?.charge(units);
  }

  get left(): number {
    const own = Math.max(0, this.limit - this.used);
    return this.whole === null ? own : Math.min(own, this.whole.left);
  }

  get spent(): boolean {
    return this.used >= this.limit || (this.whole?.spent ?? false);
  }

  /** A share of what is left. */
  part(share: number): WorkBudget {
    return new WorkBudget(share * this.left, this);
  }
}

/** For a search that is limited otherwise. */
export const boundlessWork = new WorkBudget(Number.POSITIVE_INFINITY);

/** Units of one iteration of a relaxation with so many cells (class x type). */
export const iterationWork = (cells: number): number => 0.7 + 0.0055 * cells;
/** Units of a cell of a dense tableau. */
export const cellWork = 0.003;
/** Units of one state with one column in a choice, or of one exchange in a repair. */
export const stepWork = 0.1;
/** Units of a state that a choice keeps. */
export const stateWork = 1;
/** Units of a column's use of one pool. */
export const poolWork = 0.05;
