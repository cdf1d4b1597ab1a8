import type { Program } from '../../src/solver/program.ts';

/** The worked example in program.ts: short, medium and long requests on A and B. The optimum is one A and three B, for 7. */
export const example: Program = {
  types: 2,
  classes: 3,
  loads: Float64Array.of(0.2, 0.6, 0.5, 2.5, 0.9, Number.POSITIVE_INFINITY),
  prices: Float64Array.of(4, 1),
  lower: new Float64Array(2),
  upper: Float64Array.of(2, 4),
};
