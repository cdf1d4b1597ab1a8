import type { Judged } from '../judged.ts';
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
  readonly asking: Planned | null;
  readonly blind: Planned | null;
  readonly target: ReadonlyMap<string, number>;
  readonly spec: ReadonlyMap<string, number>;
}

type Asker = 'asking' | 'blind';
const askers: readonly Asker[] = ['asking', 'blind'];
export const askerNames = { asking: 'asking engines', blind: 'not asking engines' } as const;

export interface Part {
  readonly name: string;
  readonly kind: 'steady' | 'ramp';
  /** How long after its beginning the windows hold this part's rate alone, and requests end as often as they come (s). */
  readonly settleSeconds: number;
  /** How long beyond its first record nothing can be known of what is missing in it (s). */
  readonly learnSeconds?: number;
  /** Unix s. */
  readonly from: number;
  readonly to: number;
}

/** Records of the gateway are this long (s), and gpumix waits so long for one (s). */
const [interval, settle] = [10, 2];
/** Of what was sent, a plan for steady traffic may differ by this share in the mean; and no plan may be below this share. */
const [steadyError, leastShare] = [0.05, 0.5];
/** The autoscaler looks every few seconds: so much of the time the replicas are what the target says. */
const followedShare = 0.9;

/**
 * A table: per part of the traffic, what was planned beside what was sent over the same span.
 * @param sent when each request was sent (Unix s), ascending
 * @param windowSeconds over which gpumix takes a rate
 * @param judged of which gpumix the bars are asked
 */
export const partVerdicts = (
  parts: readonly Part[],
  moments: readonly Moment[],
  sent: readonly number[],
  ended: readonly Sent[],
  windowSeconds: number,
  judged: readonly Asker[] = askers,
): Judged => {
  /** Requests/s sent over so many seconds up to the last record that gpumix had at a moment. */
  const sentRate = (at: number, seconds: number): number => {
    const end = Math.floor((at - settle) / interval) * interval;
    return count(sent, end - seconds, end) / seconds;
  };
  const missed: string[] = [];
  const rows = parts.map((part) => {
    const { name, kind, settleSeconds, learnSeconds = 0, from, to } = part;
    const settledAt = from + settleSeconds;
    const within = moments.filter(({ at }) => at >= settledAt && at < to + settle);
    const seconds = mean(ended.filter(({ at }) => at >= settledAt && at < to).map((one) => one.seconds));
    const follows = share(within, ({ target, spec }) => [...target].every(([key, value]) => (spec.get(key) ?? 0) >= value));
    const cells = askers.map((asker) => {
      const plans = plansOf(moments, asker).filter(({ at }) => at >= from + settle + interval + learnSeconds && at < to + settle);
      const settled = plans.filter(({ at }) => at >= settledAt);
      const planned = mean(settled.map(({ rate }) => rate)) / mean(settled.map(({ at }) => sentRate(at, windowSeconds)));
      // After a step down a plan may be for the new rate already.
      const due = (at: number) =>
        kind === 'ramp' ? sentRate(at, windowSeconds) : Math.min(sentRate(at, windowSeconds), sentRate(at, interval));
      const least = Math.min(...plans.map(({ at, rate }) => rate / due(at)));
      const behind = kind === 'ramp' ? secondsBehind(settled, ({ at }) => sentRate(at, windowSeconds)) : null;
      if (judged.includes(asker)) {
        const miss = (what: string) => missed.push(`${name}, ${askerNames[asker]}: ${what}`);
        if (kind === 'steady' && !(Math.abs(planned - 1) <= steadyError)) miss(`planned ${percent(planned)} of what was sent`);
        if (!(least >= leastShare)) miss(`once only ${percent(least)} of what was sent`);
        if (behind !== null && !(behind <= seconds))
          miss(`${behind.toFixed(1)} s behind, a request takes ${seconds.toFixed(1)} s`);
      }
      return `${percent(planned)}, ${percent(least)}${behind === null ? '' : `, ${behind.toFixed(1)} s`}`;
    });
    if (!(follows >= followedShare)) missed.push(`${name}: the target’s replicas only ${percent(follows)} of the time`);
    const all = count(sent, from, to);
    return [name, all, ...cells, seconds.toFixed(1), percent(follows), most(within)].join(' | ');
  });
  const text = [
    'traffic | requests | asking engines: planned/sent, least, behind | not asking: planned/sent, least, behind | a request takes (s) | time with the target’s replicas | most replicas',
    '---|---|---|---|---|---|---',
    ...rows,
  ].join('\n');
  return { text, missed };
};

/** Each plan once. */
const plansOf = (moments: readonly Moment[], which: Asker): readonly Planned[] => {
  const plans = new Map<number, Planned>();
  for (const moment of moments) {
    const planned = moment[which];
    if (planned !== null) plans.set(planned.at, planned);
  }
  return [...plans.values()];
};

/**
 * How long the ramp took to grow by what plans lack in the mean (s). The shift with the least squares would say as much but for
 * the noise of arrivals: it jumps by several seconds where plans differ by 1 %.
 */
const secondsBehind = (plans: readonly Planned[], sentRate: (plan: Planned) => number): number => {
  const [rates, middle] = [plans.map(sentRate), mean(plans.map(({ at }) => at))];
  const growth =
    mean(plans.map(({ at }, index) => (at - middle) * rates[index]!)) / mean(plans.map(({ at }) => (at - middle) ** 2));
  return (mean(rates) - mean(plans.map(({ rate }) => rate))) / growth;
};

const count = (ascending: readonly number[], from: number, to: number): number =>
  ascending.filter((at) => at > from && at <= to).length;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const share = <One>(all: readonly One[], holds: (one: One) => boolean): number => all.filter(holds).length / all.length;
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
const most = (moments: readonly Moment[]): string =>
  String(Math.max(...moments.map(({ spec }) => [...spec.values()].reduce((sum, value) => sum + value, 0))));
