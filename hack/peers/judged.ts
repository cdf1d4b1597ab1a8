/** A table of what was seen, and each bar that was missed in words. */
export interface Judged {
  readonly text: string;
  readonly missed: readonly string[];
}
