/** What gpumix tells the autoscaler of one Deployment. */
export interface Target {
  readonly namespace: string;
  readonly deployment: string;
  /** Labels of the Deployment, for label selectors. */
  readonly labels: Readonly<Record<string, string>>;
  /** What the HPA should reach, and the time of the data behind it (Unix seconds); or why there is no answer. */
  readonly decision: Decision | { readonly unavailable: string };
  /** What readers that take an error for zero get instead of one: the last good target, else spec.replicas. */
  readonly standing: Decision;
}

/** Replicas, and the time of the data behind them (Unix s). */
export interface Decision {
  readonly replicas: number;
  readonly asOf: number;
  /** Taken over from an earlier leader: until there is one of our own, no less than what runs is published. */
  readonly restored?: boolean;
  /** The model was idle: it follows the label `model.aibrix.ai/min_replicas` as that is now. */
  readonly idle?: boolean;
  /** Somebody has fixed it by hand. */
  readonly pinned?: boolean;
  /** How many of them are beyond the plan, and only wait for a GPU that may come; absent = none. */
  readonly waiting?: number;
}

/** A pod of a Deployment that carries a model, in any phase. */
export interface ModelPod {
  readonly namespace: string;
  readonly name: string;
  readonly deployment: string;
  readonly labels: Readonly<Record<string, string>>;
}
