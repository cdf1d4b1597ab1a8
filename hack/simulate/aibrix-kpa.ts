/** Settings of a PodAutoscaler of strategy KPA. */
export interface KpaSettings {
  /** What one replica is worth; the optimizer's samples say 100. */
  readonly targetValue: number;
  readonly observeSeconds: number;
  readonly panicSeconds: number;
  readonly scaleDownSeconds: number;
  /** How many times the mean of the longer window that of the shorter must be for panic mode. */
  readonly panicThreshold: number;
  /** Most that the replicas may be multiplied by in one step. */
  readonly upRate: number;
}

/** What a PodAutoscaler does if nothing is set, and the least harmful: means of three minutes, no scale-down window. */
export const kpaDefaults: KpaSettings = {
  targetValue: 100,
  observeSeconds: 180,
  panicSeconds: 60,
  scaleDownSeconds: 300,
  panicThreshold: 2,
  upRate: 2,
};
export const kpaSmoothed: KpaSettings = { ...kpaDefaults, scaleDownSeconds: 0 };

const [downRate, tolerance] = [2, 0.1];

/** One PodAutoscaler: the metric's value and the replicas now to the replicas it sets. Asked every ten seconds. */
export type Kpa = (now: number, value: number, current: number) => number;

/**
 * AIBrix's KPA as it is documented: means of two windows, a tolerance that compares the total with what one replica is
 * worth, steps of twice and half, and the smallest recommendation of the scale-down window.
 */
export const createKpa = (settings: KpaSettings): Kpa => {
  let values: { readonly at: number; readonly value: number }[] = [];
  let recommendations: { readonly at: number; readonly value: number }[] = [];
  const mean = (now: number, seconds: number): number => {
    const some = values.filter(({ at }) => at > now - seconds);
    return some.reduce((sum, { value }) => sum + value, 0) / Math.max(1, some.length);
  };
  return (now, value, current) => {
    values = [...values.filter(({ at }) => at > now - settings.observeSeconds), { at: now, value }];
    const [stable, panic] = [mean(now, settings.observeSeconds), mean(now, settings.panicSeconds)];
    const panics = stable <= 0 || panic / stable > settings.panicThreshold;
    const ofStable = desired(stable, settings, current);
    const recommended = panics ? Math.max(ofStable, desired(panic, settings, current)) : ofStable;
    recommendations = [
      ...recommendations.filter(({ at }) => at > now - settings.scaleDownSeconds),
      { at: now, value: recommended },
    ];
    return recommended < current ? Math.min(...recommendations.map((one) => one.value)) : recommended;
  };
};

const desired = (value: number, { targetValue: target, upRate }: KpaSettings, current: number): number => {
  const outside = value > target * (1 + tolerance) || value < target * (1 - tolerance);
  const wanted = outside ? Math.ceil(value / target) : current;
  return Math.min(Math.max(wanted, Math.floor(current / downRate)), Math.max(1, Math.ceil(upRate * current)));
};
