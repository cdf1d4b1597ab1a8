/** A pod of a Deployment that has not ended. */
export interface ReplicaPod {
  readonly name: string;
  /** Unix s. */
  readonly createdAt: number;
  readonly ready: boolean;
  /** When it became Ready, or ceased to be (Unix s); null = neither yet. */
  readonly readinessAt: number | null;
  /** When the scheduler found a place for it (Unix s); null = not yet, or not known. */
  readonly placedAt: number | null;
  /** The scheduler has found no place for it. */
  readonly unschedulable: boolean;
}

/** What has been seen of the startups of one Deployment's pods. */
export interface Startups {
  /** From creation to Ready (s), the last ones, oldest first. */
  readonly seconds: readonly number[];
  /** Pods that appeared since pods are looked at, and are not Ready yet. */
  readonly startingPods: ReadonlySet<string>;
  /** Pods that were there at the last look; null = there was none. */
  readonly seen: ReadonlySet<string> | null;
}
export const noStartups: Startups = { seconds: [], startingPods: new Set(), seen: null };

const keptStartups = 20;
const enoughStartups = 3;
/** A pod that is a little late is not one that never comes (factor). */
const patienceFactor = 1.5;
const leastPatienceSeconds = 30;

/**
 * Startup time: the 90th percentile of the last twenty, once there are three (s).
 * @param otherwise until then
 * @example startupSeconds({ seconds: [60, 80, 70] }, 600) // => 80
 * @example startupSeconds({ seconds: [60, 80] }, 600) // => 600
 */
export const startupSeconds = ({ seconds }: Pick<Startups, 'seconds'>, otherwise: number): number =>
  seconds.length < enoughStartups ? otherwise : seconds.toSorted((a, b) => a - b)[Math.ceil(0.9 * seconds.length) - 1]!;

/** The longest of those that are learned, so that demand is looked for far enough ahead; else what is set (s). */
export const longestStartup = (startups: readonly Pick<Startups, 'seconds'>[], otherwise: number): number => {
  const known = startups.filter(({ seconds }) => seconds.length >= enoughStartups);
  return known.length === 0 ? otherwise : Math.max(...known.map((seen) => startupSeconds(seen, otherwise)));
};

/**
 * How long a pod may take before it counts as one that does not come: half as long again as the learned time, and not less
 * than half a minute, which the scheduler and an image may take once (s).
 */
export const patienceSeconds = (startups: Pick<Startups, 'seconds'>, otherwise: number): number =>
  startups.seconds.length < enoughStartups
    ? otherwise
    : Math.max(patienceFactor * startupSeconds(startups, otherwise), Math.min(leastPatienceSeconds, otherwise));

/**
 * Adds the startups that ended since pods were last looked at, of pods that appeared meanwhile or earlier: of one that was
 * there before gpumix was, nobody knows when it became Ready for the first time. One that counted as not coming for want of
 * a place waited for stock; that is no startup time.
 * @param late pods that count as not coming
 */
export const startupsAfter = (
  { seconds, startingPods, seen }: Startups,
  pods: readonly ReplicaPod[],
  late: ReadonlySet<string>,
  now: number,
): Startups => {
  const watched = pods.filter(({ name }) => startingPods.has(name) || (seen !== null && !seen.has(name)));
  const ended = watched
    .filter(({ ready }) => ready)
    .map(({ createdAt, readinessAt }) => Math.max(0, (readinessAt ?? now) - createdAt));
  const stillStarting = watched.filter((pod) => !pod.ready && !(pod.unschedulable && late.has(pod.name)));
  return {
    seconds: [...seconds, ...ended].slice(-keptStartups),
    startingPods: new Set(stillStarting.map(({ name }) => name)),
    seen: new Set(pods.map(({ name }) => name)),
  };
};
