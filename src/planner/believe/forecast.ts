/**
 * Demand some time ahead, from a model's own history of arrival rates.
 *
 * - trend: Holt's double exponential smoothing, level + slope x time.
 * - season: the rate now, times what the same time of day was worth on earlier days compared with this time of day.
 *
 * Each is used only while it has done better than "as now" on this model of late; and only to raise, as capacity takes a
 * startup time to come and none to go.
 */
export type ForecastMethod = 'as now' | 'trend' | 'season';

/** What has been seen of one model. Rates are req/s, times Unix s. */
export interface RateHistory {
  readonly at: number;
  readonly level: number;
  /** req/s per s. */
  readonly slope: number;
  /** Mean rate by time of day; NaN = not seen yet. */
  readonly day: readonly number[];
  /** Of the slot of the day that is being observed. */
  readonly slot: { readonly index: number; readonly sum: number; readonly count: number };
  /** For times that have not come yet: each method is judged by its own when the time has come. */
  readonly predictions: readonly Prediction[];
  /** Decayed loss of each method, and how much was judged. */
  readonly loss: Readonly<Record<ForecastMethod, number>>;
  readonly judgedCount: number;
}

export interface Forecast {
  /** `time of day`: nothing arrives now, and traffic came at this time on earlier days. */
  readonly method: ForecastMethod | 'time of day';
  /** req/s, never below the rate now. */
  readonly rate: number;
}

interface Prediction {
  readonly of: number;
  readonly rates: Readonly<Record<ForecastMethod, number>>;
}

const methods: readonly ForecastMethod[] = ['as now', 'trend', 'season'];
const daySeconds = 86_400;
const slotSeconds = 300;
/** Of the level and of the slope (s): the slope must not follow single bursts. */
const levelSeconds = 60;
const slopeSeconds = 300;
/** Weight of a new day in the mean of its slot. */
const newDay = 0.5;
/** Predictions are this far apart (s). */
const predictionSeconds = 30;
/** Predictions after which a loss counts half: a day's, as a season shows once a day; and how many must have been judged. */
const halfLifePredictions = daySeconds / predictionSeconds;
const believedAfter = 20;
/** A method must lose this much less than "as now". */
const better = 0.9;
/** No forecast goes beyond this many times the rate now. */
const mostGrowth = 3;

/** Takes a rate into the history. Called again for the same or an earlier time it changes nothing. */
export const historyWith = (history: RateHistory | undefined, at: number, rate: number, horizonSeconds: number): RateHistory => {
  if (history === undefined) return begun(at, rate);
  const passed = at - history.at;
  if (passed <= 0) return history;
  const slope = history.slope;
  const level = mixed(history.level + slope * passed, rate, 1 - Math.exp(-passed / levelSeconds));
  const next = {
    ...history,
    at,
    level,
    slope: mixed(slope, (level - history.level) / passed, 1 - Math.exp(-passed / slopeSeconds)),
    ...dayWith(history, at, rate),
  };
  const scored = next.predictions
    .filter(({ of }) => of <= at)
    .reduce((known, prediction) => judge(known, prediction, rate), next as RateHistory);
  const ahead = scored.predictions.filter(({ of }) => of > at);
  const lastPredicted = ahead.at(-1)?.of ?? Number.NEGATIVE_INFINITY;
  const due = at + horizonSeconds - lastPredicted >= predictionSeconds;
  return {
    ...scored,
    predictions: due ? [...ahead, { of: at + horizonSeconds, rates: predictedRates(next, rate, horizonSeconds) }] : ahead,
  };
};

/** What to plan for, so far ahead (s). */
export const forecast = (history: RateHistory | undefined, rate: number, horizonSeconds: number): Forecast => {
  const asNow = { method: 'as now' as const, rate };
  if (history === undefined || history.judgedCount < believedAfter) return asNow;
  const best = methods.reduce((a, b) => (history.loss[b] < history.loss[a] ? b : a));
  if (best === 'as now' || history.loss[best] > better * history.loss['as now']) return asNow;
  return { method: best, rate: predictedRates(history, rate, horizonSeconds)[best] };
};

/**
 * A rate of what ended, brought up to what arrives: by its growth (req/s per s) over the time that a request takes (s), never
 * lowered.
 */
export const caughtUp = (rate: number, growth: number, lateSeconds: number): number =>
  Math.min(mostGrowth * rate, rate + Math.max(0, growth) * lateSeconds);

const begun = (at: number, rate: number): RateHistory => ({
  at,
  level: rate,
  slope: 0,
  day: Array.from({ length: daySeconds / slotSeconds }, () => Number.NaN),
  slot: { index: slotAt(at), sum: rate, count: 1 },
  predictions: [],
  loss: { 'as now': 0, trend: 0, season: 0 },
  judgedCount: 0,
});

const mixed = (old: number, fresh: number, weight: number): number => old + weight * (fresh - old);
const slotAt = (at: number): number => Math.floor((at % daySeconds) / slotSeconds);

/** A slot enters the day when it is over. */
const dayWith = ({ day, slot }: RateHistory, at: number, rate: number): Pick<RateHistory, 'day' | 'slot'> => {
  const index = slotAt(at);
  if (index === slot.index) return { day, slot: { index, sum: slot.sum + rate, count: slot.count + 1 } };
  const mean = slot.sum / slot.count;
  const old = day[slot.index]!;
  return {
    day: day.with(slot.index, Number.isNaN(old) ? mean : mixed(old, mean, newDay)),
    slot: { index, sum: rate, count: 1 },
  };
};

const predictedRates = ({ at, level, slope, day }: RateHistory, rate: number, horizonSeconds: number): Prediction['rates'] => {
  const raised = (to: number) => Math.min(Math.max(rate, to), mostGrowth * rate);
  const [here, there] = [day[slotAt(at)]!, day[slotAt(at + horizonSeconds)]!];
  const season = here > 0 && there >= 0 ? (rate * there) / here : rate;
  return { 'as now': rate, trend: raised(level + slope * horizonSeconds), season: raised(season) };
};

const judge = (history: RateHistory, { rates }: Prediction, rate: number): RateHistory => {
  const keep = 0.5 ** (1 / halfLifePredictions);
  // Too little and too much count alike: a loss that forgave too much would choose whatever is highest.
  const lossOf = (method: ForecastMethod): number => keep * history.loss[method] + Math.abs(rate - rates[method]);
  return {
    ...history,
    judgedCount: history.judgedCount + 1,
    loss: { 'as now': lossOf('as now'), trend: lossOf('trend'), season: lossOf('season') },
  };
};
