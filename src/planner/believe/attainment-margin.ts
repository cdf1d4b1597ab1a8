/**
 * How much more than the demand to plan for, so that a share of the requests is within the limits of the profile: for the noise
 * of arrivals and sizes by statistics, and for all else by what was missed.
 */

/** What was seen so far of the requests that go by one name. Times are Unix s. */
export interface MarginHistory {
  readonly at: number;
  /** Share of the demand that is planned for beyond what noise asks for; below 0 where less was enough. */
  readonly correction: number;
  /** Requests that waited beyond what is normal. */
  readonly backlog: number;
  /** Work that was predicted for times that have not come yet, and that for the last time that has (replicas). */
  readonly predictions: readonly { readonly of: number; readonly work: number }[];
  readonly predictedWork: number | null;
}

export interface SeenService {
  readonly at: number;
  /** Arrivals (req/s), and the span that they are the mean of (s). */
  readonly rate: number;
  readonly windowSeconds: number;
  /** Mean square of the work of a request over the square of its mean; 1 = all are alike. */
  readonly spread: number;
  /** Requests that wait beyond what is normal. */
  readonly backlog: number;
  /** Work of what arrives now, and as foreseen for the time in which a new replica would be Ready (replicas). */
  readonly work: number;
  readonly foreseen: number;
  readonly startupSeconds: number;
}

export interface Margin {
  /** 0.1 = 10 %. */
  readonly headroom: number;
  /** The part that noise asks for, whatever was missed. */
  readonly noise: number;
  readonly history: MarginHistory;
}

/** No margin is larger: what grows by more than that while a replica starts is not served in time by a margin that pays. */
const most = 0.25;
/** While demand is above what was planned for, about so much of what arrives is missed: only what is too much. */
const missedOfSurplus = 1 / 5;
/** The correction moves by so many times the share that was missed beyond what may be, in an hour. */
const gainPerHour = 10;
/** A tick that comes late counts no longer than this (s). */
const longestTickSeconds = 60;
/** Predictions are this far apart (s). */
const predictionSeconds = 30;

/**
 * The margin now: {@link noiseMargin}, and a slow integral of what is missed over what may be. A request is missed that comes to
 * wait beyond what is normal. Requests that come while demand is above all that this margin could be do not count: they say
 * nothing of it. Called again for the same time it changes nothing.
 * @param attainment share of requests that is asked for
 */
export const marginNow = (before: MarginHistory | undefined, seen: SeenService, attainment: number): Margin => {
  const noise = Math.min(most, noiseMargin(seen, attainment));
  const history = historyAfter(before, seen, attainment, noise);
  return { headroom: noise + history.correction, noise, history };
};

/**
 * What noise asks for: both the rate that was seen and the one that comes are counts of so many requests of various sizes, so
 * their ratio varies by the square root of 2 x spread / requests. The quantile is the one above which lies five times what may
 * be missed.
 */
export const noiseMargin = (
  { rate, windowSeconds, spread, backlog }: Pick<SeenService, 'rate' | 'windowSeconds' | 'spread' | 'backlog'>,
  attainment: number,
): number => {
  const above = Math.min(0.5, (1 - attainment) / missedOfSurplus);
  return normalQuantile(above) * Math.sqrt((2 * spread) / Math.max(1, rate * windowSeconds + backlog));
};

const historyAfter = (
  before: MarginHistory | undefined,
  { at, rate, backlog, work, foreseen, startupSeconds }: SeenService,
  attainment: number,
  noise: number,
): MarginHistory => {
  const known = before ?? { at, correction: 0, backlog, predictions: [], predictedWork: null };
  const passed = at - known.at;
  if (before !== undefined && passed <= 0) return known;
  const predictedWork = known.predictions.findLast(({ of }) => of <= at)?.work ?? known.predictedWork;
  const may = 1 - attainment;
  const outgrown = predictedWork === null || work > (1 + most) * predictedWork;
  const missed = rate > 0 && passed > 0 ? Math.min(1, Math.max(0, backlog - known.backlog) / (rate * passed)) : 0;
  const moved =
    known.correction + (gainPerHour * ((outgrown ? may : missed) - may) * Math.min(passed, longestTickSeconds)) / 3600;
  const ahead = known.predictions.filter(({ of }) => of > at);
  const lastPredicted = ahead.at(-1)?.of ?? Number.NEGATIVE_INFINITY;
  const predicts = foreseen > 0 && at + startupSeconds - lastPredicted >= predictionSeconds;
  return {
    at,
    correction: Math.min(most - noise, Math.max(-noise, moved)),
    backlog,
    predictions: predicts ? [...ahead, { of: at + startupSeconds, work: foreseen }] : ahead,
    predictedWork,
  };
};

/**
 * Standard deviations of a normal number above which it lies with a probability of up to a half (Abramowitz and Stegun 26.2.23,
 * to 0.0005).
 */
const normalQuantile = (above: number): number => {
  const t = Math.sqrt(-2 * Math.log(above));
  return t - (2.515517 + t * (0.802853 + 0.010328 * t)) / (1 + t * (1.432788 + t * (0.189269 + 0.001308 * t)));
};
