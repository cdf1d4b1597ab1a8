/** How an autoscaler goes about a change in one direction. */
export interface OneWayPace {
  /** Changes up to this share of the replicas are left alone. */
  readonly tolerance: number;
  /** How long it may wait by its own settings before it moves (s). */
  readonly waitSeconds: number;
}
export interface Pace {
  readonly up: OneWayPace;
  readonly down: OneWayPace;
  /** Changes when the autoscaler's spec does; absent = not known. */
  readonly spec?: string;
}

/** `spec.behavior` of an HPA, in one direction. */
interface Rules {
  readonly tolerance?: string | number;
  readonly stabilizationWindowSeconds?: number;
  readonly policies?: readonly { readonly periodSeconds?: number }[];
}
export interface Behavior {
  readonly scaleUp?: Rules;
  readonly scaleDown?: Rules;
}

/** The HPA controller's defaults: 10 % either way, down to the most that was wanted within five minutes. */
const defaultTolerance = 0.1;
const defaultWindow = { up: 0, down: 300 };

/** Of an HPA: it moves when its window is over and a policy's period has passed. */
export const paceOfBehavior = (behavior: Behavior | undefined): Pace => {
  const side = (rules: Rules | undefined, window: number): OneWayPace => ({
    tolerance: quantity(rules?.tolerance) ?? defaultTolerance,
    waitSeconds:
      (rules?.stabilizationWindowSeconds ?? window) +
      Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds = 0 }) => periodSeconds)),
  });
  return { up: side(behavior?.scaleUp, defaultWindow.up), down: side(behavior?.scaleDown, defaultWindow.down) };
};

/** Of a PodAutoscaler: it takes up to half an hour to scale down, unless its annotations say otherwise. */
export const paceOfPodAutoscaler: Pace = {
  up: { tolerance: 0, waitSeconds: 0 },
  down: { tolerance: 0, waitSeconds: 1800 },
};

const suffixes: Readonly<Record<string, number>> = { '': 1, m: 1e-3, u: 1e-6, n: 1e-9 };

/** `0.05`, `5e-2`, `50m`, `500u`; null where it is none of these. */
const quantity = (text: string | number | undefined): number | null => {
  const [, number, suffix] = /^((?:\d+\.?\d*|\.\d+)(?:[eE]-?\d+)?)([mun]?)$/.exec(String(text)) ?? [];
  return number === undefined ? null : Number(number) * suffixes[suffix ?? '']!;
};
