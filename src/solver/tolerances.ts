/**
 * By how much numbers of the solver may differ and still count as equal, each as a share of the number. A double has sixteen
 * digits; a sum of thousands of terms keeps twelve or thirteen of them. A tolerance that one file has for a reason of its own
 * stands there.
 */

/** A type carries its load when load <= replicas x (1 + this): solver, checkers and brute force use the same line. */
export const lineTolerance = 1e-9;

/**
 * What differs by less may differ by rounding alone: nothing is cut off, taken for better or asked for again by it. As wide as
 * the line, so that what the line allows does not look like a difference.
 */
export const roundingTolerance = 1e-9;

/** Costs closer than this are the same cost. */
export const sameCost = 1e-11;

/** y this close below a whole number is that number: far inside the line, above the rounding of sums. */
export const wholeTolerance = 4e-12;

/** What one quotient of prices may be short of a whole number: 0.3 / 0.1 is 2.9999999999999996. */
export const quotientTolerance = 1e-12;
