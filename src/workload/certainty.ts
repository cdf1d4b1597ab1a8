/** Standard deviations of counts beyond which two counts do not have one rate: about one false alarm in a day. */
export const certainDeviations = 4.5;

/** Whether a count exceeds another, or what was expected of it, by more than chance. */
export const certainlyExceeds = (more: number, less: number): boolean => more - less > certainDeviations * Math.sqrt(more + less);
