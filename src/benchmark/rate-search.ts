/** What one probe has found. */
export interface Probed {
  /** Requests sent per second. */
  readonly rate: number;
  /** Whether the SLO was kept and the rate was served. */
  readonly kept: boolean;
  /** How far the percentile was above the median (s); null and absent = not known. */
  readonly stretch?: number | null;
}

export interface SearchLimits {
  /** Where to begin (req/s), and how sure that is: a guess by neighbours is left in small steps, any other by doubling. */
  readonly first: number;
  readonly guessed: boolean;
  /** The rate below which nothing is of use, and the one beyond which nothing is asked for (req/s). */
  readonly lowest: number;
  readonly limit: number;
  /** The search ends when the rate that is kept and the one that is not are so close: 0.05 = 5 %. */
  readonly precision: number;
}

/**
 * The next rate to try (req/s): bracket the boundary, then halve the bracket in logarithms. Depends on nothing but what has
 * been found, so that a search that was broken off goes on as if it had not been.
 * @returns null when the boundary is known
 */
export const nextRate = (probed: readonly Probed[], limits: SearchLimits): number | null => {
  const { lowest, limit, precision } = limits;
  const failed = Math.min(...probed.filter(({ kept }) => !kept).map(({ rate }) => rate));
  const kept = Math.max(0, ...probed.filter((probe) => probe.kept && probe.rate < failed).map(({ rate }) => rate));
  const fitting = (rate: number): number => rounded(Math.min(limit, Math.max(lowest, rate)));
  const next =
    probed.length === 0
      ? fitting(limits.first)
      : failed === Number.POSITIVE_INFINITY
        ? fitting(kept * stepAfter(probed.length, limits))
        : kept === 0
          ? fitting(failed / stepAfter(probed.length, limits))
          : failed / kept <= 1 + precision
            ? null
            : rounded(Math.sqrt(kept * failed));
  // At an end of the range there is nothing more to try; in a bracket narrower than rounding neither.
  return next === null || probed.some(({ rate }) => rate === next) ? null : next;
};

/** The highest rate that was kept below all that were not (req/s); 0 = none. */
export const servedRate = (probed: readonly Probed[]): number => {
  const failed = Math.min(...probed.filter(({ kept }) => !kept).map(({ rate }) => rate));
  return Math.max(0, ...probed.filter(({ kept, rate }) => kept && rate < failed).map(({ rate }) => rate));
};

/** What is supposed of a size of which nothing is known, and what is believed at least and at most. */
const [usualSteepness, leastSteepness, mostSteepness] = [2, 1, 10];
/** Rates that are nearer to each other than this tell of chance. */
const apart = 1.1;

/**
 * By how many percent the distance of the percentile from the median grows for one percent more of the rate, near the boundary:
 * where it is steep, the boundary is known well although the percentile is not.
 */
export const steepness = (probed: readonly Probed[]): number => {
  const known = probed
    .flatMap(({ rate, stretch }) => (stretch == null || stretch <= 0 ? [] : [{ rate, stretch }]))
    .sort((a, b) => b.rate - a.rate);
  const [high] = known;
  const low = known.find(({ rate }) => high !== undefined && rate * apart <= high.rate);
  if (high === undefined || low === undefined) return usualSteepness;
  const found = Math.log(high.stretch / low.stretch) / Math.log(high.rate / low.rate);
  return Math.min(mostSteepness, Math.max(leastSteepness, found));
};

/** A good guess needs a small step to the other side of the boundary; each that does not get there is followed by a larger. */
const stepAfter = (probes: number, { guessed, precision }: SearchLimits): number =>
  guessed ? Math.min(4, (1 + 2 * precision) ** (2 ** (probes - 1))) : 2;

/** Rates have three digits, so that a file of results names them as people do. */
export const rounded = (rate: number): number => Number(rate.toPrecision(3));
