/**
 * What the searches of one solve may still do, in one unit of about a microsecond of an ordinary core. It counts steps, not
 * time, so that the same snapshot gives the same plan on every machine. All searches of a solve charge the same budget, each
 * through a part of it: a part ends for itself, what it leaves is there for those that come after it.
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

/**
 * Units of one iteration of a relaxation with so many cells (class x type), of a cell of a dense tableau, of one state with one
 * column in a choice or one exchange in a repair, of a state that a choice keeps, and of a column's use of one pool.
 */
export const iterationWork = (cells: number): number => 0.7 + 0.0055 * cells;
export const cellWork = 0.003;
export const stepWork = 0.1;
export const stateWork = 1;
export const poolWork = 0.05;
