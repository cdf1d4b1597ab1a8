import type { Sent } from '../requests.ts';

export interface Planned {
  /** When it was planned (Unix s). */
  readonly at: number;
  /** Requests/s. */
  readonly rate: number;
}

/** What was seen at one moment (Unix s). */
export interface Moment {
  readonly at: number;
  /** By the gpumix that asks engines, and by the one that does not; null = no plan yet. */
  readonly planned: Planned | null;
  readonly blind: Planned | null;
  readonly target: ReadonlyMap<string, number>;
  readonly spec: ReadonlyMap<string, number>;
}

export interface Part {
  readonly name: string;
  readonly kind: 'steady' | 'ramp';
  /** How long the traffic takes to become what the name says (s). */
  readonly lead?: number;
  readonly from?: number;
  readonly to?: number;
}

/** Records of the gateway are this long (s), and gpumix waits so long for one (s). */
const [interval, settle] = [10, 2];

/**
 * A table: per part of the traffic, what was planned beside what was sent over the same span.
 * @param sent when each request was sent (Unix s), ascending
 * @param windowSeconds over which gpumix takes a rate
 */
export const partVerdicts = (
  parts: readonly Part[],
  moments: readonly Moment[],
  sent: readonly number[],
  ended: readonly Sent[],
  windowSeconds: number,
): string => {
  /** Requests/s sent over so many seconds up to the last record that gpumix had at a moment, or `late` seconds earlier. */
  const sentRate = (at: number, seconds: number, late = 0): number => {
    const end = Math.floor((at - settle) / interval) * interval - late;
    return count(sent, end - seconds, end) / seconds;
  };
  const rows = parts.map(({ name, kind, lead = 0, from = 0, to = 0 }) => {
    const plans = (which: 'planned' | 'blind') => plansOf(moments, which).filter(({ at }) => at < to + settle);
    /** From here on a window holds this part of the traffic alone. */
    const whole = from + lead + windowSeconds + settle + interval;
    const ratios = (which: 'planned' | 'blind', late = 0) =>
      plans(which)
        .filter(({ at }) => at >= whole)
        .map(({ at, rate }) => rate / sentRate(at, windowSeconds, late));
    /** Before that a plan may be for the new rate or for the mean of both. */
    const early = (which: 'planned' | 'blind') =>
      plans(which)
        .filter(({ at }) => at >= from + settle + interval && at < whole)
        .map(({ at, rate }) => rate / Math.min(sentRate(at, windowSeconds), sentRate(at, interval)));
    const least = (which: 'planned' | 'blind') => Math.min(...ratios(which), ...early(which));
    const within = moments.filter(({ at }) => at >= whole && at < to + settle);
    const seconds = mean(ended.filter(({ at }) => at >= from && at < to).map((one) => one.seconds));
    const follows = share(within, ({ target, spec }) =>
      [...target].every(([key, value]) => (spec.get(key) ?? 0) >= value),
    );
    return [
      name,
      percent(mean(ratios('planned'))),
      percent(least('planned')),
      percent(mean(ratios('blind'))),
      percent(least('blind')),
      kind === 'ramp' ? `${behind((late) => ratios('planned', late))}` : '-',
      seconds.toFixed(1),
      percent(follows),
      most(within),
    ].join(' | ');
  });
  return [
    'traffic | planned/sent, mean | least | not asking engines, mean | least | behind (s) | a request takes (s) | time with the target’s replicas | most replicas',
    '---|---|---|---|---|---|---|---|---',
    ...rows,
  ].join('\n');
};

/** Each plan once. */
const plansOf = (moments: readonly Moment[], which: 'planned' | 'blind'): readonly Planned[] => {
  const plans = new Map<number, Planned>();
  for (const moment of moments) {
    const planned = moment[which];
    if (planned !== null) plans.set(planned.at, planned);
  }
  return [...plans.values()];
};

/** By how many seconds what was sent must be looked at earlier for the plans to be the same, least squares. */
const behind = (ratios: (late: number) => readonly number[]): number => {
  const lags = Array.from({ length: 41 }, (_, late) => late - 10);
  const error = (late: number) => mean(ratios(late).map((ratio) => (ratio - 1) ** 2));
  return lags.reduce((best, late) => (error(late) < error(best) ? late : best));
};

const count = (ascending: readonly number[], from: number, to: number): number =>
  ascending.filter((at) => at > from && at <= to).length;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = <One>(all: readonly One[], holds: (one: One) => boolean): number => all.filter(holds).length / all.length;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const most = (moments: readonly Moment[]): string =>
  String(Math.max(...moments.map(({ spec }) => [...spec.values()].reduce((sum, value) => sum + value, 0))));
