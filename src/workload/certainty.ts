/** Standard deviations of counts beyond which two counts do not have one rate: about one false alarm in a day. */
export const certainDeviations = 4.5;

/**
 * Whether a count exceeds another, or what was expected of it, by more than chance.
 * @example certainlyExceeds(200, 100) // => true
 * @example certainlyExceeds(100, 50) // => false
 */
export const certainlyExceeds = (more: number, less: number): boolean => more - less > certainDeviations * Math.sqrt(more + less);
