import type { Relaxation, RelaxationStatus } from './relaxation.ts';

export interface BranchOptions {
  /** Nodes after which the search stops with its incumbent and bound. */
  readonly nodeLimit: number;
  /** Nodes that may be spent on mixes of the same cost once the cost is proven. */
  readonly tieLimit: number;
  /** Whether the first of two mixes of the same cost is the better one. */
  readonly prefers: (mix: Float64Array, other: Float64Array) => boolean;
  /** Writes the mix between two bounds that is preferred to all others there. */
  readonly favourite: (lower: Float64Array, upper: Float64Array, mix: Float64Array) => void;
  /** Share of the cost within which a mix counts as the cheapest. */
  readonly gapTolerance: number;
  /** Greatest common divisor of the prices (money/h); 0 = they have none. */
  readonly unit: number;
  /** A mix to start from, if it carries the demand. */
  readonly known: ArrayLike<number> | null;
  /** Whether it is sure that the known mix carries the demand. */
  readonly trusted: boolean;
  /** Called with the relaxation of every node as soon as it is solved: for checks in the tests. */
  readonly watch?: (relaxation: Relaxation, status: RelaxationStatus) => void;
}

export interface BranchResult {
  readonly status: 'optimal' | 'feasible' | 'infeasible' | 'unknown';
  /** Replicas per type; null without one. */
  readonly mix: Float64Array | null;
  /** Share of each class on each type, class x type, with which the mix carries the demand. */
  readonly assignment: Float64Array;
  readonly cost: number;
  readonly bound: number;
  readonly nodes: number;
}

/** Costs closer than this share of each other are the same cost. */
export const sameCost = 1e-11;

/** y this close below a whole number (share of y) is that number: far inside the line, above the rounding of sums. */
export const wholeTolerance = 4e-12;

/** The whole number of replicas for a load that is divided by the line's scale. */
export const wholeReplicas = (load: number): number => Math.ceil(load * (1 - wholeTolerance));
