/** One whole mix of one model as the choice sees it. */
export interface Column {
  readonly mix: Float64Array;
  /** Money/h. */
  readonly cost: number;
  /** GPUs of each pool. */
  readonly use: readonly number[];
  /** Replicas that it starts or stops. */
  readonly changes: number;
  /** What it costs more than the model's best mix, at the prices of common stock (money/h). */
  readonly reduced: number;
}
